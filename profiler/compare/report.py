"""A comparison to a report without a format."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.compare import (
    clocks_and_caches,
    csv,
    machine_differences,
    not_compared,
    ranking,
    sentences,
    within_study_table,
)
from profiler.compare import tables as study_tables
from profiler.compare.model import Comparison, Row
from profiler.compare.simulation_noise import RARE
from profiler.report.cells import Column, tabulated
from profiler.report.figures.data import Ratio, RatioDots
from profiler.report.model import Figure, Report, Section, Table

_IN_BRIEF = 12
"""Most changes that a terminal shows."""

_WHOLE = 24
"""Most whole runs that it shows where no change is shown."""

_IN_ALT = 5
"""Most changes that a figure's alternative text names."""

_NAMED = 4
"""Most studies that the title names."""

_METHOD = (
    "Figures are those of each study's own report. A ratio divides a study's by the first's, the two taken as "
    "independent; its 95 % interval is from the bootstrap draws of both. Where it includes 1, or the ratio is within "
    "1 % of it, no difference is shown. An interval holds the scatter between the runs of one sweep, not what another "
    "day, another temperature or another copy of the same board would change.",
    "Two figures share a row where model file, region, kind of source (counted or simulated), scope of counting and "
    "the event's meaning on both cores are the same. Meanings are the catalogue's; an equal name is no proof. "
    "Simulated figures must be of one simulator, instruction set and cache geometry; they repeat, so that a "
    "difference above 1 % is told, where it is also above what two runs of one case differed by.",
    "`--fail-over` judges time and counts, once and for each image, after every interval is widened for the number of "
    "figures judged. User and system time apart, context switches and migrations are not judged: the kernel's ticks "
    f"and the machine's other work decide them; nor simulated events below {RARE} in 1000 instructions.",
)


def compose(found: Comparison) -> Report:
    """The report of a comparison; the same studies give the same report."""
    ranked = ranking.ranked(found.rows)
    names = [subject.name for subject in found.subjects]
    planned = (
        _changed(found, ranked),
        _costs(found, simulated=False),
        _costs(found, simulated=True),
        clocks_and_caches.section(found),
        _apart(found),
        machine_differences.section(found),
        Section("How studies are compared", points=_METHOD),
    )
    created = notation.listed(f"{each.name} of {each.study.created_at[:10]}" for each in found.subjects)
    return Report(
        name=", ".join(names),
        title=f"{notation.listed(names, _NAMED)} compared",
        subtitle=f"All against {found.first.name}. Studies: {created}",
        answer=sentences.answer(found, ranked),
        warnings=sentences.warnings(found),
        summary=tuple(_summary(found, ranked)),
        sections=tuple(section for section in planned if section),
        labels=tuple(model.label for model in found.first.study.models),
        origin=" ".join(
            f"Study {each.name} of {each.study.created_at}, profiler {each.study.profiler_version}."
            for each in found.subjects
        ),
        quantities=csv.quantities(found),
        data={"comparison.csv": lambda: csv.csv(found)},
    )


def _changed(found: Comparison, ranked: Sequence[Row]) -> Section:
    figures = tuple(_figures(found))
    tables = (study_tables.changed(found, ranked),) if ranked else ()
    said = () if ranked else (sentences.NONE if ranking.judged(found.rows) else sentences.UNTOLD,)
    return Section("What changed most", said, tables=tables, figures=figures)


def _figures(found: Comparison) -> Iterator[Figure]:
    """Of each study every ratio, counted and simulated apart."""
    for place, other in enumerate(found.others, 1):
        for simulated in (False, True):
            rows = [row for row in found.rows if row.study == other.name and row.simulated == simulated]
            panels = _panels(rows)
            if not panels:
                continue
            title = f"{other.name} against {found.first.name}{f', {SIMULATED}' if simulated else ''}"
            shown = ranking.ranked(rows)[:_IN_ALT]
            alt = "; ".join(
                f"{study_tables.name(row)} {study_tables.what(row)} {study_tables.times(row)}" for row in shown
            )
            yield Figure(
                f"{f'{SIMULATED}-' if simulated else ''}ratios-{place}",
                title,
                f"{title}: ratios of each event with their intervals. {alt or 'None differs beyond its interval'}.",
                f"How many times {found.first.name}'s cost {other.name}'s is, on a logarithmic axis; at 1 nothing has "
                "changed. Where an interval crosses the line at 1, no difference is shown.",
                RatioDots(found.first.name, panels, simulated),
            )


def _panels(rows: Sequence[Row]) -> dict[str, tuple[Ratio, ...]]:
    """By model; every panel has the same events, for they share their names."""
    ratios = {(row.model, row.event, row.what): row.ratio for row in rows}
    events = dict.fromkeys(row.event for row in rows if row.what != "whole" and row.ratio)
    return {
        model: tuple(
            Ratio(
                event,
                ratios.get((model, event, "region")) or ratios.get((model, event, "slope")),
                ratios.get((model, event, "fixed")),
            )
            for event in events
        )
        for model in dict.fromkeys(row.model for row in rows)
        if events
    }


def _costs(found: Comparison, simulated: bool) -> Section | None:
    tables = study_tables.tables(found, simulated)
    if not tables:
        return None
    side_by_side = within_study_table.within(found, simulated)
    title = "Simulated cost beside simulated cost" if simulated else "Cost beside cost"
    return Section(title, tables=(*tables, *([side_by_side] if side_by_side else [])))


def _apart(found: Comparison) -> Section | None:
    tables = tuple(table for blocked in (True, False) if (table := not_compared.apart(found, blocked)))
    return Section("What is not compared", tables=tables) if tables else None


def _summary(found: Comparison, ranked: Sequence[Row]) -> Iterator[Table]:
    """For a terminal: what changed most, or the whole runs where nothing can be told; and what was kept apart."""
    several = len(found.others) > 1
    rows = ranked[:_IN_BRIEF] or [row for row in found.rows if row.what == "whole"][:_WHOLE]
    title = "Changed most" if ranked else "No change is shown; whole runs"
    if rows:
        left = f" ({_IN_BRIEF} of {len(ranked)})" if len(ranked) > _IN_BRIEF else ""
        columns: list[Column[Row]] = [
            Column("when", study_tables.what),
            *([Column[Row]("study", lambda row: row.study)] if several else []),
            Column("ratio", lambda row: study_tables.ratio(found, row)),
        ]
        named = [(study_tables.name(row), row) for row in rows]
        yield tabulated("summary-changed", f"{title}{left}", "what", named, columns, words=True)
    inside = within_study_table.within(found, simulated=False)
    if inside and not ranked:
        yield replace(inside, caption="")
    if blocked := not_compared.brief(found):
        yield blocked
