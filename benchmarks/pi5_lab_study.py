"""A real Raspberry Pi 5's counts as a study: `python -m benchmarks.pi5_lab_study FOLDER` makes FOLDER/pi5-cat-dog-lab.

The figures are those of reference/pi5-cat-dog-lab.csv, all of them and no other: one `perf stat` of each model. What is
told of the models and of how they were run is from the table's repository (QFlask/ece386-lab4) and the notebook of the
course (USAFA-ECE/ece386-book, lab-cat-dog.ipynb); the study's notes say which is which.
"""

import csv
import sys
from pathlib import Path

from profiler import __version__, store
from profiler.errors import ProfilerError
from profiler.machine import board_file
from profiler.machine import events as catalogue
from profiler.machine.host import MACHINES
from profiler.records import (
    NOT_TOLD,
    SCHEMA,
    Case,
    Count,
    Engine,
    Event,
    Machine,
    MachineState,
    Model,
    Plan,
    Run,
    Study,
    Target,
    TensorSpec,
)

NAME = "pi5-cat-dog-lab"
TABLE = Path(__file__).parent / "reference" / f"{NAME}.csv"
WHEN = "2025"
VERSION = f"version {NOT_TOLD}"
IMAGES = 10
HERTZ = 2.4e9  # the Raspberry Pi 5's highest clock
TWINS = (
    ("cache-misses", "L1-dcache-load-misses"),
    ("cache-references", "L1-dcache-loads"),
    ("l3d_cache_rd", "LLC-loads"),
)
"""Names of one event on this core: what differs within a pair is scaling's doing."""
MODELS = {
    "keras": ("cat-dog-mnv2.keras", 26.3, Engine(package="tensorflow", version=VERSION, call="predict", threads=None)),
    "litert": (
        "cat-dog-mnv2.tflite",
        2.4,
        Engine(package="ai-edge-litert", version=VERSION, call="signature runner", threads=None, delegate=NOT_TOLD),
    ),
}
"""File, its size in MiB as its author rounds it, and what ran it."""


def table() -> dict[str, dict[str, int]]:
    """The figures by model and event; times in ns, under perf's names of the events."""
    with TABLE.open() as file:
        rows = list(csv.DictReader(file))
    return {label: {row["event"].removesuffix("_ns"): int(row[label]) for row in rows} for label in MODELS}


def made() -> tuple[Study, tuple[Run, ...]]:
    """The study and its two runs."""
    counted = table()
    board = board_file.read(MACHINES / "pi5.toml")
    core = catalogue.core(board.uarch)
    pmu = core.pmu_names[0]
    events = catalogue.resolve(",".join(counted["keras"]), core, pmu)
    group = tuple(event.name for event in events if event.kind == "hardware")
    cases = tuple(Case(model=label, images=IMAGES, region="process", group=group) for label in MODELS)
    study = Study(
        schema=SCHEMA,
        name=NAME,
        created_at=WHEN,
        profiler_version=__version__,
        command="python -m benchmarks.pi5_lab_study runs",
        plan=plan(events),
        machine=machine(board, core.title, pmu),
        models=tuple(map(model, MODELS)),
        counter_source="perf",
        scope="user+kernel",
        events=events,
        absent={},
        groups=(group,),
        cases=cases,
        notes=notes(counted, group),
        imported_from="QFlask/ece386-lab4, perf-catdog.csv",
        source_repeats=False,
    )
    return study, tuple(run(order, case, counted[case.model], events) for order, case in enumerate(cases))


def plan(events: tuple[Event, ...]) -> Plan:
    """What was asked for, as far as it is known."""
    return Plan(
        models=tuple(f"{label}={facts[0]}" for label, facts in MODELS.items()),
        images=(IMAGES,),
        repeats=1,
        warmup=0,
        threads=None,
        regions=("process",),
        event_set=",".join(event.name for event in events),
        counters="perf",
        source="camera",
        timeout_s=0.0,
    )


def machine(board: Target, cpu: str, pmu: str) -> Machine:
    """What such a board is; of this one's system nothing is told."""
    return Machine(
        arch="aarch64",
        cpu=cpu,
        uarch=board.uarch,
        cpus=board.cpus,
        board=board.title,
        caches=board.caches,
        memory_bytes=None,
        page_bytes=16_384,
        kernel=NOT_TOLD,
        system=NOT_TOLD,
        virtual=None,
        pmu=pmu,
        perf_version=NOT_TOLD,
        perf_event_paranoid=None,
        python=NOT_TOLD,
    )


def model(label: str) -> Model:
    """What is known of a model of the lab, which is not at hand itself."""
    file, mebibytes, engine = MODELS[label]
    return Model(
        label=label,
        runtime=label,
        file=file,
        size_bytes=round(mebibytes * 2**20),
        sha256="",
        engine=engine,
        input=TensorSpec(name="catdog_input", shape=(1, 150, 150, 3), dtype="uint8"),
        output=TensorSpec(name="output_0", shape=(1, 1), dtype="float32"),
        network_lack="the file was not at hand",
    )


def run(order: int, case: Case, counted: dict[str, int], events: tuple[Event, ...]) -> Run:
    """One column of the table; perf's own times are exact, all else was scaled by a share that nobody noted."""
    state = MachineState(at=WHEN)
    return Run(
        order=order,
        case=case,
        repeat=0,
        started_at=WHEN,
        wall_ns=counted["duration_time"],
        outcome="ok",
        returncode=None,
        counts=tuple(
            Count(
                event=event.name,
                value=counted[event.name],
                unit="ns" if event.kind == "tool" else "",
                status="counted",
                source="perf",
                estimated=event.kind == "hardware",
            )
            for event in events
        ),
        before=state,
        after=state,
    )


def notes(counted: dict[str, dict[str, int]], group: tuple[str, ...]) -> tuple[str, ...]:
    """What the reader must know."""
    keras = counted["keras"]
    apart = {
        (label, pair): abs(its[pair[0]] - its[pair[1]]) / min(its[pair[0]], its[pair[1]])
        for label, its in counted.items()
        for pair in TWINS
    }
    (worst, pair), share = max(apart.items(), key=lambda item: item[1])
    busy = (keras["user_time"] + keras["system_time"]) / 1e9
    return (
        "Imported, not measured by this tool: one `perf stat` of each model's webcam script on a university lab's "
        "Raspberry Pi 5 in spring 2025, over the whole process with import, load and camera (QFlask/ece386-lab4, "
        "perf-catdog.csv)",
        f"{len(group)} hardware events shared {catalogue.core('cortex-a76').programmable} counters. {len(TWINS)} pairs "
        f"of names count one event each on this core: they differ by up to {share * 100:.1f} % "
        f"({' and '.join(pair)} of {worst}), so scaling put one of the two off by half of that or more",
        f"How many images were inferred is not in the table: {IMAGES} is what the repository's litert_bench.py does; "
        f"its keras_bench.py, as it is kept there, has no end, so that keras's {IMAGES} are an assumption",
        "The sizes are the repository's (26.3 and 2.4 MB) read as MiB, the unit in which the course's notebook prints "
        "them; file, tensor and engine names are those of the notebook and the scripts",
        f"That the kernel's part was counted follows from the cycles: at {HERTZ / 1e9} GHz keras's take "
        f"{keras['cpu_cycles'] / HERTZ:.2f} s, longer than the {keras['user_time'] / 1e9:.2f} s of its user time and "
        f"not longer than the {busy:.2f} s of all its CPU time",
        "The caches are this board's by this tool's machine file, the page size is that of Raspberry Pi OS's own "
        "kernel; what the board ran (kernel, perf, Python, engines, clock, temperature) is not told",
    )


def main() -> None:
    """Makes the study in the folder that is asked for."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.pi5_lab_study FOLDER")
    study, runs = made()
    try:
        kept = store.create(Path(sys.argv[1]), study)
    except ProfilerError as error:
        sys.exit(str(error))
    for each in runs:
        kept.append(each)


if __name__ == "__main__":
    main()
