"""Who simulates, whose caches and how often; a whole sweep on real QEMU with the fake worker."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from made_plans import needs_qemu, planned
from msgspec.structs import replace
from reading import present

from profiler import store, virtual
from profiler.counters import Launch, Setup, Survey, UnusableError
from profiler.errors import ProfilerError
from profiler.machine import host, targets
from profiler.measure import process, simulated_runs, sweep
from profiler.measure.process import Stop
from profiler.measure.run import START, Workplace
from profiler.modelfile import ModelFile
from profiler.records import Case, Event, Machine, Plan, Region
from profiler.virtual import Virtual

NO_HARDWARE = Survey("user+kernel", {}, ((),), ())
HARDWARE = Survey("user+kernel", {}, (("cycles", "inst_retired"),), ())
SIMULATING = {"counters": "auto", "simulated_images": (1, 2, 4)}


class Made:
    """A simulator that simulates nothing."""

    name, version, arch, prefetches = "qemu", "QEMU 0.0", "x86_64", True

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def survey(self, events: Sequence[Event], machine: Machine, regions: Sequence[Region]) -> Survey:
        return Survey("user", {}, (tuple(event.name for event in events),), ("made up",))

    def launch(self, command: Sequence[str], group: Sequence[str], region: Region, raw: Path) -> Any:
        raise AssertionError(Launch(tuple(command), {}, ()))

    def read(self, raw: Path, group: Sequence[str]) -> tuple[()]:
        return ()


@pytest.fixture
def simulators(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The simulators asked for, in order; all are made up."""
    asked: list[str] = []

    def choose_simulator(name: str, setup: Setup) -> tuple[Made, tuple[str, ...]]:
        asked.append(name)
        return Made(setup), ("qemu-x86_64 is not installed: sudo apt install qemu-user",)

    monkeypatch.setattr(simulated_runs, "choose_simulator", choose_simulator)
    return asked


def chosen(plan: Plan, survey: Survey | None = NO_HARDWARE) -> simulated_runs.Simulated:
    found, lack = simulated_runs.choose(plan, survey, ["litert"])
    assert lack is None
    assert found is not None
    return found


def cases_of(found: simulated_runs.Simulated, *labels: str) -> tuple[Case, ...]:
    return sweep.cases(found.plan, labels, found.survey.groups, found.source.name)


@pytest.mark.parametrize(
    ("fields", "survey", "simulators_asked"),
    [
        (SIMULATING, HARDWARE, []),
        (SIMULATING, NO_HARDWARE, ["auto"]),
        ({**SIMULATING, "simulated_images": ()}, NO_HARDWARE, []),
        ({**SIMULATING, "counters": "perf"}, NO_HARDWARE, []),
        ({**SIMULATING, "counters": "software"}, NO_HARDWARE, []),
        ({**SIMULATING, "counters": "perf", "caches": "pi4"}, HARDWARE, ["auto"]),
        ({**SIMULATING, "caches": "pi4"}, HARDWARE, ["auto"]),
        ({**SIMULATING, "counters": "qemu"}, HARDWARE, ["qemu"]),
        ({**SIMULATING, "counters": "valgrind"}, NO_HARDWARE, ["valgrind"]),
    ],
)
def test_a_simulator_is_taken_where_it_is_needed_or_asked_for(
    simulators: list[str], fields: dict[str, Any], survey: Survey, simulators_asked: list[str]
) -> None:
    found, lack = simulated_runs.choose(planned(**fields), survey, ["litert"])
    assert simulators == simulators_asked
    assert (found is not None) == bool(simulators_asked)
    assert lack is None


@pytest.mark.usefixtures("simulators")
def test_beside_native_runs_few_images_of_the_inferences_alone_are_simulated() -> None:
    found = chosen(planned(**SIMULATING, repeats=7, phases=True))
    assert (found.plan.images, found.plan.repeats, found.plan.regions) == ((1, 2, 4), 1, ("inference",))
    made = found.described(cases_of(found, "keras", "litert"))
    assert [(case.model, case.images) for case in made.proved] == [("keras", 1), ("litert", 1)]
    assert (made.target.key, made.cores, made.guest, made.notes) == ("pi5", 1, None, ("made up",))
    assert made.absent["stall_backend"].startswith("not modelled")
    assert "l1d_cache_refill" in made.groups[0]
    assert "stall_backend" not in made.groups[0]


@pytest.mark.usefixtures("simulators")
def test_the_note_says_who_simulates_what_and_why() -> None:
    needed = chosen(planned(**SIMULATING)).why
    assert "QEMU 0.0 simulates the caches of Raspberry Pi 5" in needed
    assert "because no hardware event is counted here" in needed
    assert "qemu-x86_64 is not installed" in needed
    assert "as asked for" in chosen(planned(**SIMULATING, caches="pi3"), HARDWARE).why


@pytest.mark.usefixtures("simulators")
def test_threads_are_simulated_cores() -> None:
    assert chosen(planned(**SIMULATING, threads=2)).setup.cores == 2
    assert chosen(planned(**SIMULATING, threads=None)).setup.cores == 4
    assert chosen(planned(**SIMULATING, threads=9)).setup.cores == 4


def test_without_a_simulator_auto_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str, setup: Setup) -> Any:
        raise UnusableError("no simulator runs here", "see `profiler doctor`")

    monkeypatch.setattr(simulated_runs, "choose_simulator", none)
    found, lack = simulated_runs.choose(planned(**SIMULATING), NO_HARDWARE, ["litert"])
    assert found is None
    assert lack == "No caches are simulated: no simulator runs here: see `profiler doctor`."
    with pytest.raises(UnusableError, match="no simulator"):
        simulated_runs.choose(planned(**SIMULATING, caches="pi4"), HARDWARE, ["litert"])


@pytest.mark.usefixtures("simulators")
def test_a_simulation_takes_no_camera_inside_the_region() -> None:
    fields = {**SIMULATING, "source": "camera", "capture_in_region": True}
    found, lack = simulated_runs.choose(planned(**fields), NO_HARDWARE, ["litert"])
    assert found is None
    assert str(lack).startswith("No caches are simulated: a camera cannot be captured from inside a simulation")
    assert simulated_runs.choose(planned(**fields), HARDWARE, ["litert"]) == (None, None)
    for asked in ({"caches": "pi4"}, {"counters": "qemu"}, {"on": "pi5"}):
        with pytest.raises(ProfilerError, match="leave out --capture-in-region") as caught:
            simulated_runs.choose(planned(**{**fields, **asked}), HARDWARE, ["litert"])
        assert "\n" not in str(caught.value)
    assert chosen(planned(**{**fields, "capture_in_region": False})).plan.images == (1, 2, 4)


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(ProfilerError, match="unknown machine 'pi9'"):
        simulated_runs.choose(planned(**SIMULATING, caches="pi9"), HARDWARE, ["litert"])
    with pytest.raises(ProfilerError, match="pi9"):
        simulated_runs.choose(planned(on="pi9"), None, ["litert"])


def test_as_many_processes_at_once_as_cpus_and_memory_allow(
    simulators: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = chosen(planned(**SIMULATING))
    state = host.state()
    monkeypatch.setattr(host, "usable_cpus", lambda: tuple(range(8)))
    for free, cores, lanes in ((64, 1, 8), (64, 4, 2), (64, 16, 1), (7, 1, 2), (1, 1, 1)):
        monkeypatch.setattr(host, "state", lambda free=free: replace(state, memory_available_bytes=free * 2**30))
        assert found._replace(setup=found.setup._replace(cores=cores)).lanes == lanes


@pytest.fixture
def board(tmp_path: Path) -> Virtual:
    return Virtual("pi5", "Raspberry Pi 5", tmp_path, tmp_path, tmp_path / "usr/bin/python3.11", "cortex-a76", {})


def test_on_a_board_everything_is_simulated(
    simulators: list[str], monkeypatch: pytest.MonkeyPatch, board: Virtual
) -> None:
    monkeypatch.setattr(virtual, "find", lambda key, keras: board)
    found = chosen(planned(on="pi5", images=(1, 3), repeats=2, regions=("process", "inference")), None)
    assert simulators == ["qemu"]
    assert found.setup == Setup(targets.find("pi5"), 1, board)
    assert (found.plan.images, found.plan.repeats) == ((1, 3), 2)
    assert found.described(cases_of(found, "litert")).guest == "Raspberry Pi 5"
    assert found.described(cases_of(found, "litert")).proved == ()
    assert chosen(planned(on="pi5", caches="pi4"), None).setup.target.key == "pi4"


def test_a_board_gets_the_workers_files_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, board: Virtual
) -> None:
    monkeypatch.setattr(simulated_runs, "emulator", lambda arch: (f"/bin/qemu-{arch}", "QEMU 0.0"))
    with Stop() as stop:
        place = simulated_runs.settle(Workplace(tmp_path, (), planned(), {}, {}, {}, stop), board)
    files = {str(path.relative_to(tmp_path / "code")) for path in (tmp_path / "code").rglob("*.py")}
    names = ("__init__", "keras", "litert", "litert_plan", "memory", "usage")
    runtimes = {f"profiler/runtimes/{name}.py" for name in names}
    alone = {f"profiler/{name}.py" for name in ("__init__", "errors", "version", "worker")}
    assert files == alone | runtimes
    assert place.worker[0] == "/bin/qemu-aarch64"
    assert place.worker[-2:] == START
    assert str(tmp_path / "code") in place.environment["PYTHONPATH"]


@pytest.fixture
def models(tmp_path: Path) -> list[ModelFile]:
    file = ModelFile("litert", "litert", tmp_path / "model.tflite")
    file.path.write_bytes(b"weights")
    return [file]


@pytest.fixture
def swept(
    tmp_path: Path, models: list[ModelFile], fake_worker: tuple[str, ...], no_perf: None
) -> Callable[..., sweep.SweepResult]:
    def run(**fields: Any) -> sweep.SweepResult:
        plan = planned(**{"counters": "auto", "simulated_images": (1, 2), "images": (1, 2), "repeats": 1, **fields})
        return sweep.run("s", tmp_path / "runs", plan, models, lambda step: None, fake_worker)

    return run


@pytest.mark.slow
@needs_qemu
def test_simulated_runs_are_kept_beside_native_ones(swept: Callable[..., sweep.SweepResult]) -> None:
    result = swept()
    assert (result.failed, result.interrupted) == (0, False)
    study, runs = store.load(result.folder)
    assert study.simulation is not None
    native = [run for run in runs if run.case.simulator is None]
    simulated = [run for run in runs if run.case.simulator is not None]
    assert [run.case.images for run in simulated if run.repeat == 1] == [1]
    assert len(native) == 4
    assert len(simulated) == 3
    assert {count.status for run in simulated for count in run.counts} == {"simulated"}
    assert not {count.event for run in native for count in run.counts} & {"inst_retired", "l1d_cache"}
    values = {(run.case.images, run.repeat): {count.event: count.value for count in run.counts} for run in simulated}
    # The fake worker's hash order differs from run to run, and with it a few addresses.
    assert values[1, 0]["inst_retired"] == pytest.approx(values[1, 1]["inst_retired"], rel=0.05)
    # 32 KiB are read and written, 64 bytes a line, in lines that the caches have not seen or have thrown out.
    more = present(values[2, 0]["l1d_cache"]) - present(values[1, 0]["l1d_cache"])
    assert more > 2 * 32 * 1024 / 64


@needs_qemu
def test_a_worker_that_dies_in_the_simulator_is_a_failed_run(
    swept: Callable[..., sweep.SweepResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"litert": {"fault": "segv", "when": {"region": "inference"}}}))
    result = swept(regions=("process",))
    _, runs = store.load(result.folder)
    assert result.failed == 3
    assert {run.outcome for run in runs if run.case.simulator is None} == {"ok"}
    for run in runs:
        if run.case.simulator:
            assert run.outcome == "failed"
            assert run.counts == ()
            assert "signal" in str(run.error) or "139" in str(run.error)


@needs_qemu
def test_ctrl_c_ends_the_simulated_runs_and_keeps_the_others(
    swept: Callable[..., sweep.SweepResult], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"litert": {"fault": "hang", "when": {"region": "inference"}}}))
    waiting = iter(range(10))

    def interrupted(futures: Any) -> Any:
        next(waiting)
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "as_completed", interrupted)
    result = swept(regions=("process",))
    assert result.interrupted
    _, runs = store.load(result.folder)
    assert len(runs) == 2
    assert {run.case.simulator for run in runs} == {None}
    assert list((tmp_path / "runs/s/raw").iterdir()) == []
