"""What a report says of the models' files: bytes, operators and their delegate, working sets against caches."""

import re
from functools import cache
from xml.etree import ElementTree

import pytest
from made_networks import LAYERS, made_form, made_network, made_operator, made_operators, made_resident, made_taken
from msgspec.structs import replace
from reading import SVG, everything, number, row, section, shown, table, value
from studies import LITERT, NO_PMU, PI5, family_study, made_study

from profiler import report
from profiler.analysis import delegation
from profiler.records import Taken
from profiler.report.figures import layout, render
from profiler.report.figures.data import MissDots, OperatorBars
from profiler.report.model import Report, Section

FAST = {"images": (1, 5, 10), "repeats": 3, "noise": 0.001}
CORE = dict(FAST, simulated=("inference",))


def built(**recipe: object) -> Report:
    return report.build(*family_study(**{**FAST, **recipe}))


@cache
def family() -> Report:
    return built(simulated=("inference",))


def with_facts(label: str, **facts: object) -> Report:
    return built(facts={label: facts})


def titles(of: Report) -> list[str]:
    return [each.title for each in of.sections]


NEW = ["Where the bytes go", "Operators, and who runs them", "Working sets against caches"]


def test_a_study_without_facts_reads_as_before() -> None:
    found = report.build(*made_study(**FAST))
    assert not {*NEW, "What made the difference"} & set(titles(found))
    sizes = " ".join(section(found, "Models and caches").sentences)
    assert "On disk: keras 9.18 MiB" in sizes
    assert "decides nothing by itself" in sizes


def test_the_sections_stand_in_order_before_the_models() -> None:
    order = titles(family())
    places = [order.index(title) for title in (*NEW, "Models and caches")]
    assert places == sorted(places)
    assert "On disk" not in everything(family())


def test_the_optimiser_state_is_told_apart_from_what_inference_touches() -> None:
    told = next(point for point in section(family(), NEW[0]).points if point.startswith("keras:saved is "))
    network = made_network("fp32", True, format="keras")
    weights = network.weights_bytes / 2**20
    disk, rest = told.split(" on disk, of which ")
    assert number(disk.split(" is ")[1]) == pytest.approx(network.size_bytes / 2**20, rel=0.01)
    state, inference = rest.split(" are the optimiser's state that inference never touches; its inference touches ")
    assert number(state) == pytest.approx(2 * weights, rel=0.01)
    assert number(inference) == pytest.approx(weights, rel=0.01)
    touched = (network.weights_bytes + (network.arena_bytes or 0)) / network.size_bytes
    assert number(inference.split("together ")[1]) == pytest.approx(touched, rel=0.01)


def test_a_file_without_state_has_none_in_its_sentence() -> None:
    told = next(point for point in section(family(), NEW[0]).points if point.startswith("litert:fp32 is "))
    assert "optimiser" not in told


def test_an_arena_that_is_not_known_is_not_nothing() -> None:
    network = made_network("fp32", arena_bytes=None, least_bytes=None)
    found = with_facts("litert:fp32", network=network)
    told = next(point for point in section(found, NEW[0]).points if point.startswith("litert:fp32 is "))
    assert told.endswith("of weights; how much of activations is not known.")
    needs = row(table(found, "needs"), "litert:fp32")
    assert value(needs["activations\narena"]) == value(needs["working\nset"]) == "n/a"
    assert row(table(found, "fits-here"), "litert:fp32")["whole\ninference"] == "n/a"


def test_the_parts_of_a_file_add_up_in_the_table() -> None:
    found = table(family(), "files")
    for cells in found.rows:
        shares = [number(cell.partition("\n")[2]) for cell in cells[2:] if cell != "0"]
        assert sum(shares) == pytest.approx(100, abs=1)
    saved = row(found, "keras:saved")
    network = made_network("fp32", True, format="keras")
    state = 200 * network.weights_bytes / network.size_bytes
    assert number(saved["optimiser\nstate"].partition("\n")[2]) == pytest.approx(state, abs=1)
    assert row(found, "litert:int8")["optimiser\nstate"] == "0"
    assert row(found, "litert:int8")["weights\nfloat32"] == "0"
    assert number(row(found, "litert:int8")["weights\nint8"].partition("\n")[2]) > 80


def test_memory_stands_against_the_file() -> None:
    needs = row(table(family(), "needs"), "litert:int8")
    network = made_network("int8")
    assert value(needs["MACs"]) == f"{sum(macs for *_, macs in LAYERS) / 1e6:.3g} M"
    size, times = needs["working\nset"].split("\n")
    assert number(size) == pytest.approx((network.working_set_bytes or 0) / 2**20, rel=0.01)
    assert number(times) == pytest.approx((network.working_set_bytes or 0) / network.size_bytes, rel=0.01)
    assert needs["resident\nengine"].startswith("5 MiB\n")
    assert needs["resident\nfile"].startswith("1.5 MiB\n")


def test_how_the_arena_is_known_is_a_note() -> None:
    notes = table(family(), "needs").notes
    assert [note[2:] for note in notes] == [
        "arena: the largest sum of tensors alive at one time",
        "arena: planned as LiteRT plans it",
    ]


def test_resident_memory_has_columns_only_where_it_was_seen() -> None:
    labels = ("keras:saved", "keras:weights", "litert:fp32", "litert:int8")
    without = built(facts={label: {"resident": None} for label in labels})
    assert not any("resident" in head for head in table(without, "needs").columns)
    one = built(facts={label: {"resident": None} for label in labels[1:]})
    assert row(table(one, "needs"), "litert:int8")["resident\nengine"] == "n/a ²"
    assert "² not seen around an uncounted load" in table(one, "needs").notes


def test_every_figure_that_is_not_known_has_a_reason() -> None:
    unknown = made_network("int8", arena_bytes=None, least_bytes=None, arena_how="not known: shapes are not")
    found = with_facts("litert:int8", network=unknown, resident=None)
    assert row(table(found, "needs"), "litert:int8") == {
        "model": "litert:int8",
        **{head: cell for head, cell in row(table(found, "needs"), "litert:int8").items() if "n/a" not in cell},
        **dict.fromkeys(("activations\narena", "activations\nat least", "working\nset"), "n/a ³"),
        **dict.fromkeys(("resident\nengine", "resident\nfile"), "n/a ⁴"),
    }
    assert table(found, "needs").notes[2:] == (
        "³ arena: not known: shapes are not",
        "⁴ not seen around an uncounted load",
    )
    keras = with_facts("litert:int8", arena_bytes=70_000)
    assert row(table(keras, "needs"), "keras:saved")["engine's\nown arena"].startswith("n/a ")
    assert any(note.endswith("the engine does not tell") for note in table(keras, "needs").notes)
    assert "a delegate keeps its activations to itself" in table(keras, "needs").caption
    assert "own arena" not in table(found, "needs").caption


def test_memory_before_any_inference_is_marked() -> None:
    found = with_facts("litert:int8", resident=made_resident(first_bytes=None))
    assert row(table(found, "needs"), "litert:int8")["resident\nengine"].startswith("2 MiB ³")
    assert "after the load; no first inference was made" in table(found, "needs").notes[2]


def test_a_file_that_was_not_read_has_a_reason_and_no_figure() -> None:
    found = with_facts("litert:int8", network=None, network_lack="not a flatbuffer")
    cells = row(table(found, "files"), "litert:int8")
    assert {value(cell) for head, cell in cells.items() if head not in ("model", "file")} == {"n/a"}
    assert "¹ not a flatbuffer" in table(found, "files").notes
    assert all(cells[0] != "litert:int8" for cells in table(found, "fits-here").rows)
    bars = drawing(found, "working-sets")
    assert isinstance(bars, OperatorBars)
    assert "litert:int8" not in bars.sets


def test_macs_that_are_not_known_are_said_to_be_missing() -> None:
    first, *others = made_operators("int8")
    network = made_network("int8", operators=(replace(first, macs=None), *others))
    found = with_facts("litert:int8", network=network)
    assert "without those of 1 operator, which are not known" in " ".join(table(found, "needs").notes)


def test_many_models_are_told_of_together() -> None:
    labels = [f"m{place}" for place in range(8)]
    facts = {label: {"network": made_network("int8"), "form": None} for label in labels}
    facts["m0"] = {"network": made_network("fp32", True)}
    found = report.build(*made_study(labels=labels, facts=facts, **FAST))
    points = section(found, NEW[0]).points
    assert len(points) == 2
    assert points[0].startswith("The files are from ")
    assert points[1].startswith("m0 is ")
    assert found.title == "What m0, m1, m2, m3, m4 and 3 more cost"


def test_of_many_models_the_answer_names_the_cheapest_and_the_dearest() -> None:
    labels = [f"m{place}" for place in range(8)]
    truth = {
        label: {name: (fixed * (9 - place), each * (1 + place)) for name, (fixed, each) in LITERT.items()}
        for place, label in enumerate(labels)
    }
    said = report.build(*made_study(labels=labels, truth=truth, **FAST)).answer[0]
    assert said.startswith("Of 8 models a run of 10 images costs least with m7, ")
    assert number(said.split("least with m7, ")[1]) == pytest.approx(784, rel=0.02)
    assert number(said.split("most with m0, ")[1]) == pytest.approx(1.7605, rel=0.02)


def test_notes_of_some_networks_name_their_models() -> None:
    notes = {"litert:int8": ("scales are left out",), "litert:fp32": ("scales are left out",)}
    found = built(facts={label: {"network": made_network(notes=notes[label])} for label in notes})
    assert section(found, NEW[0]).points[-1] == "litert:fp32 and litert:int8: Scales are left out."


def operators_of(found: Report, label: str) -> dict[str, dict[str, str]]:
    tables = map(shown, section(found, NEW[1]).tables)
    of = next(each for each in tables if label in re.split(", | and ", each.title))
    return {cells[0]: dict(zip(of.columns, cells, strict=True)) for cells in of.rows}


def test_operators_have_their_shares_and_what_the_delegate_took() -> None:
    found = operators_of(family(), "litert:fp32")
    macs = sum(macs for *_, macs in LAYERS)
    convolutions = found["CONV_2D"]
    assert convolutions["number"] == "3"
    assert number(convolutions["of MACs"]) == pytest.approx(100 * (4_860_000 + 8_640_000 + 10_240_000) / macs, abs=1)
    assert convolutions["delegate\ntook"] == "3 of 3"
    assert list(found) == ["CONV_2D", "DEPTHWISE_CONV_2D", "MEAN and FULLY_CONNECTED"]


def test_models_with_the_same_operators_share_a_table() -> None:
    tables = list(map(shown, section(family(), NEW[1]).tables))
    assert [each.title for each in tables] == ["keras:saved and keras:weights", "litert:fp32 and litert:int8"]
    assert "delegate\ntook" not in tables[0].columns


def test_what_the_delegate_did_not_take_is_named_with_its_share() -> None:
    found = with_facts("litert:int8", operators=made_taken({"CONV_2D": 3, "MEAN": 1}))
    words = section(found, NEW[1]).sentences[1]
    assert "XNNPACK took every operator of litert:fp32." in words
    left = words.split("Of litert:int8 XNNPACK took 2 of 6 operators: ")[1]
    assert left == "the engine's own kernels run 3 of 3 CONV_2D and 1 of 1 MEAN, with 95 % of its MACs."
    assert operators_of(found, "litert:int8")["CONV_2D"]["delegate\ntook"] == "0 of 3"
    assert operators_of(found, "litert:int8")["MEAN"]["delegate\ntook"] == "0 of 1"


def test_a_network_without_operators_has_no_table_of_them() -> None:
    found = with_facts("litert:int8", network=made_network("int8", operators=()), operators=())
    titles = [shown(each).title for each in section(found, NEW[1]).tables]
    assert titles == ["keras:saved and keras:weights", "litert:fp32"]
    assert "XNNPACK took every operator of litert:fp32." in section(found, NEW[1]).sentences


def test_of_a_kind_taken_in_part_the_share_is_a_range() -> None:
    study, _ = family_study(facts={"litert:int8": {"operators": made_taken({"CONV_2D": 1})}})
    found = delegation.outside(study.models[-1])
    macs = sum(macs for *_, macs in LAYERS)
    assert found is not None
    assert found.least == pytest.approx(4_860_000 / macs)
    assert found.most == pytest.approx(10_240_000 / macs)
    assert delegation.share(found) == "19 % to 41 % of its MACs"


def test_hybrid_arithmetic_is_named_as_such() -> None:
    found = with_facts(
        "litert:int8", network=made_network("dynamic"), operators=made_taken({"CONV_2D": 3}), form=made_form()
    )
    words = section(found, NEW[1]).sentences[1]
    assert "among them are hybrid ones (float32 activations with int8 weights)" in words
    cells = operators_of(found, "litert:int8")
    assert cells["CONV_2D"]["number"] == "3 ¹\n3 hybrid"
    assert "hybrid" not in operators_of(found, "litert:fp32")["CONV_2D"]["number"]


@pytest.mark.parametrize(
    ("activations", "weights", "mixed"),
    [
        ("float32", "int8", True),
        ("float32", "float32", False),
        ("float32", "float16", False),
        ("int8", "int8", False),
        ("float32", "int32", False),
        ("float32", None, False),
    ],
)
def test_only_floats_with_small_integers_are_hybrid(activations: str, weights: str | None, mixed: bool) -> None:
    """A constant of int32 is an axis or a shape."""
    one = made_operators()[0]
    assert delegation.hybrid(replace(one, activations=activations, weights=weights)) is mixed


def test_an_engine_that_does_not_tell_is_said_not_to() -> None:
    found = with_facts("litert:int8", operators=None)
    assert (
        section(found, NEW[1])
        .sentences[1]
        .endswith("Of litert:int8 the engine does not tell which operators the delegate took.")
    )
    assert value(operators_of(found, "litert:int8")["CONV_2D"]["delegate\ntook"]) == "n/a"


def test_operators_are_counted_by_the_first_cache_that_holds_them() -> None:
    """What fits where is written in `LAYERS`."""
    fp32 = row(table(family(), "fits-here"), "litert:fp32")
    heads = ("first fits L1D\n64 KiB", "first fits L2\n512 KiB", "first fits L3\n2 MiB", "fits\nnone")
    assert [fp32[head].partition("\n")[0] for head in heads] == ["1", "1", "2", "2"]
    assert number(fp32["fits\nnone"].partition("\n")[2]) == pytest.approx(40, abs=1)
    int8 = row(table(family(), "fits-here"), "litert:int8")
    assert [int8[head].partition("\n")[0] for head in heads] == ["2", "2", "2", "0"]
    assert fp32["largest\noperator"] == "2.58 MiB\nDEPTHWISE_CONV_2D"


def test_whole_inferences_fit_or_spill_at_each_level() -> None:
    cells = {
        label: row(table(family(), "fits-here"), label)["whole\ninference"] for label in ("litert:fp32", "litert:int8")
    }
    assert cells["litert:fp32"].endswith("spills L1D, L2 and L3")
    assert cells["litert:int8"].endswith("fits L3, spills L1D and L2")
    words = section(family(), NEW[2]).sentences[0]
    assert "litert:int8 (1.04 MiB) fits into L3; " in words
    assert words.endswith("fit into none of them.")


def test_one_table_where_the_simulated_caches_are_the_machines_own() -> None:
    assert [each.key for each in section(family(), NEW[2]).tables] == ["fits-here"]


def test_two_tables_where_they_are_others() -> None:
    small = replace(PI5, caches=PI5.caches[:3])
    found = built(machine=small, simulated=("inference",))
    assert [each.key for each in section(found, NEW[2]).tables] == ["fits-here", "fits-simulated"]
    assert "first fits L3\n2 MiB" not in table(found, "fits-here").columns
    assert "Raspberry Pi 5" in table(found, "fits-simulated").title
    assert drawing(found, "working-sets").levels[-1] == ("L3", 2097152)


def test_this_machines_caches_say_nothing_where_nothing_ran_on_it() -> None:
    found = built(native=False, simulated=("inference",), guest="Raspberry Pi 5")
    assert [each.key for each in section(found, NEW[2]).tables] == ["fits-simulated"]


def test_without_known_caches_there_is_nothing_to_hold_working_sets_against() -> None:
    assert NEW[2] not in titles(built(machine=replace(NO_PMU, caches=())))


def drawing(found: Report, key: str) -> OperatorBars | MissDots:
    figure = next(figure for each in found.sections for figure in each.figures if figure.key == key)
    assert isinstance(figure.drawing, OperatorBars | MissDots)
    return figure.drawing


def keys(found: Section) -> list[str]:
    return [figure.key for figure in found.figures]


def test_operators_are_drawn_in_order_against_the_caches() -> None:
    bars = drawing(family(), "working-sets")
    assert isinstance(bars, OperatorBars)
    assert bars.sets["litert:int8"] == tuple(each.working_set_bytes for each in made_operators("int8"))
    assert bars.levels == (("L1D", 65536), ("L2", 524288), ("L3", 2097152))


def test_counted_and_simulated_misses_never_share_a_figure() -> None:
    assert keys(section(family(), NEW[2])) == ["working-sets", "misses", "simulated-misses"]
    for key, simulated in (("misses", False), ("simulated-misses", True)):
        dots = drawing(family(), key)
        assert isinstance(dots, MissDots)
        assert {cost.simulated for costs in dots.panels.values() for cost in costs} == {simulated}
        assert list(dots.panels) == ["what the L2 lacks", "what the last cache lacks"]
        assert [costs[0].event.name for costs in dots.panels.values()] == ["ll_cache_rd", "ll_cache_miss_rd"]
        assert [name for name, _ in dots.levels] == ["L2", "L3"]
    named = {figure.key: figure for figure in section(family(), NEW[2]).figures}
    assert named["simulated-misses"].title.endswith(", simulated")
    assert "simulated" not in named["misses"].title


def test_without_an_l3_the_l2_lacks_its_own_refills() -> None:
    found = built(machine=replace(PI5, caches=PI5.caches[:3]))
    dots = drawing(found, "misses")
    assert isinstance(dots, MissDots)
    assert dots.panels["what the L2 lacks"][0].event.metric == "l2d_refill"


@pytest.mark.parametrize(
    ("key", "recipe", "may", "vain"),
    [
        ("misses", {}, True, True),
        ("simulated-misses", {"simulated": ("inference",)}, False, True),
        ("simulated-misses", {"simulated": ("inference",), "target": "pi4"}, True, False),
    ],
)
def test_a_prefetcher_is_named_where_its_reads_may_matter(
    key: str, recipe: dict[str, object], may: bool, vain: bool
) -> None:
    """A simulated L3's reads have them, a simulated L2's refills have not; of counted events cores differ."""
    caption = next(each.caption for each in section(built(**recipe), NEW[2]).figures if each.key == key)
    assert ("or a prefetcher brought it;" in caption) == may
    assert ("what a prefetcher brought in vain" in caption) == vain


def test_labels_of_a_family_differ_where_they_are_cut() -> None:
    labels = ("litert:width-0.35-fp32", "litert:width-0.35-int8", "litert:width-0.5-fp32", "litert")
    cut = [layout.short(label) for label in labels]
    assert cut == ["litert:…th-0.35-fp32", "litert:…th-0.35-int8", "litert:…dth-0.5-fp32", "litert"]


def test_one_model_has_no_figure_of_misses() -> None:
    facts = {"litert": {"network": made_network(), "operators": made_taken()}}
    found = report.build(*made_study(labels=("litert",), facts=facts, **CORE))
    assert keys(section(found, NEW[2])) == ["working-sets"]
    assert "What made the difference" not in titles(found)


def test_a_model_without_a_working_set_is_not_drawn() -> None:
    found = with_facts("litert:int8", network=made_network("int8", arena_bytes=None))
    dots = drawing(found, "misses")
    assert isinstance(dots, MissDots)
    assert {cost.model for cost in dots.panels["what the L2 lacks"]} == {"keras:saved", "keras:weights", "litert:fp32"}


def test_where_nothing_counts_misses_none_are_drawn() -> None:
    study, runs = family_study(machine=NO_PMU, groups=((),), absent={}, event_set="software", **FAST)
    assert keys(section(report.build(study, runs), NEW[2])) == ["working-sets"]


@pytest.mark.parametrize("key", ["working-sets", "misses", "simulated-misses"])
def test_drawings_are_figures_with_every_model_and_cache(key: str) -> None:
    figure = next(each for each in section(family(), NEW[2]).figures if each.key == key)
    looks = layout.marks(["keras:saved", "keras:weights", "litert:fp32", "litert:int8"])
    svg = render.draw(figure, looks)["svg"]
    assert svg == render.draw(figure, looks)["svg"]
    words = [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert {*looks} <= set(words)
    assert {"L2", "L3"} <= {word.strip() for word in words}
    assert ("simulated" in words) == (key == "simulated-misses")


def test_ten_models_have_ten_looks_and_no_empty_panel() -> None:
    labels = [f"m{place}" for place in range(10)]
    looks = layout.marks(labels)
    assert len(set(looks.values())) == 10
    facts = {label: {"network": made_network("int8")} for label in labels}
    found = report.build(*made_study(labels=labels, facts=facts, **FAST))
    figure = next(each for each in section(found, NEW[2]).figures if each.key == "working-sets")
    svg = ElementTree.fromstring(render.draw(figure, looks)["svg"])
    panels = [group for group in svg.iter(f"{SVG}g") if group.get("id", "").startswith("axes_")]
    assert len(panels) == 10


def test_an_operator_of_no_bytes_is_drawn_and_fits() -> None:
    nothing = made_operator(name="RESHAPE", output="flat", weights=None)
    network = made_network("int8", operators=(nothing,), weights_bytes=0)
    found = with_facts("litert:int8", network=network, operators=(Taken(name="RESHAPE", taken=0, total=1),))
    assert row(table(found, "fits-here"), "litert:int8")["first fits L1D\n64 KiB"] == "1"
    assert "No delegate took any of litert:int8's 1 operator." in section(found, NEW[1]).sentences[1]
    figure = next(each for each in section(found, NEW[2]).figures if each.key == "working-sets")
    assert render.draw(figure, layout.marks(["keras:saved", "keras:weights", "litert:fp32", "litert:int8"]))["svg"]
