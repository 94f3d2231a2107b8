"""A study for notebooks: tidy pandas frames, each made when it is first asked for.

A column's dtype does not depend on what is in it. What is absent is `pandas.NA` (of a moment `NaT`), and a column
`reason` says why where that is not the same for all. Times are in ns, memory in bytes. Frames with columns in common
(`order`, `model`, `images`, `region`) can be merged.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profiler import records, store
from profiler.analysis.costs import native
from profiler.analysis.notation import counted
from profiler.analysis.quantities import every
from profiler.analysis.study_analysis import analyse
from profiler.export import pyperf_metadata, tidy_tables

if TYPE_CHECKING:
    import pandas as pd

RUNS = (
    "order",
    "model",
    "runtime",
    "images",
    "region",
    "group",
    "repeat",
    "simulator",
    "outcome",
    "reason",
    "started_at",
    "wall_ns",
    "mem_max_rss",
    "load_avg_1min",
    "clock_hz_before",
    "clock_hz_after",
    "temperature_celsius_before",
    "temperature_celsius_after",
    "throttled_before",
    "throttled_after",
    "governor",
    "memory_available_bytes",
    "swap_used_bytes",
)
PHASES = (
    "order",
    "model",
    "images",
    "region",
    "repeat",
    "phase",
    "wall_ns",
    "cpu_ns",
    "user_ns",
    "system_ns",
    "page_faults",
    "context_switches",
)
MODELS = (
    "model",
    "runtime",
    "file",
    "size_bytes",
    "sha256",
    "engine",
    "engine_version",
    "call",
    "threads",
    "delegate",
    "input_shape",
    "input_dtype",
    "parameters",
    "macs",
    "weights_bytes",
    "activations_bytes",
    "working_set_bytes",
    "resident_load_bytes",
    "reason",
)
_DTYPES = {
    "Int64": (
        *("order", "images", "repeat", "index", "wall_ns", "cpu_ns", "user_ns", "system_ns", "latency_ns"),
        *("page_faults", "context_switches", "mem_max_rss", "throttled_before", "throttled_after", "threads"),
        *("memory_available_bytes", "swap_used_bytes", "size_bytes", "parameters", "macs", "weights_bytes"),
        *("activations_bytes", "working_set_bytes", "resident_load_bytes", "simulated_cores"),
    ),
    "Float64": (
        *("running_percent", "load_avg_1min", "clock_hz_before", "clock_hz_after"),
        *("temperature_celsius_before", "temperature_celsius_after", "value", "low", "high"),
    ),
    "boolean": ("estimated",),
    "datetime64[us, UTC]": ("started_at",),
}
_OF = {name: dtype for dtype, names in _DTYPES.items() for name in names}


class StudyFrames:
    """A study and its frames.

    Attributes:
        record: All but the runs, as stored.
        run_records: The runs, as stored.
    """

    def __init__(self, record: records.Study, run_records: tuple[records.Run, ...]) -> None:
        self.record = record
        self.run_records = run_records

    def __repr__(self) -> str:
        models, runs = counted(len(self.record.models), "model"), counted(len(self.run_records), "run")
        return f"<Study {self.record.name}: {models}, {runs}>"

    @cached_property
    def runs(self) -> "pd.DataFrame":
        """A row a run; `reason` says why one is not ok. Clocks are the mean of the CPUs, memory and swap those before.

        Of a run under a simulator neither time nor memory is told: they are the simulator's.
        """
        runtimes = {model.label: model.runtime for model in self.record.models}
        return _frame(RUNS, (_run(run, runtimes[run.case.model]) for run in self.run_records))

    @cached_property
    def counts(self) -> "pd.DataFrame":
        """A row a run and event, simulated ones with their `simulator`; `value` is in `unit` ("" for occurrences).

        Where `estimated` is true or `running_percent` below 100 the value is scaled. A run that is not ok has no row.
        """
        found = _frame(tidy_tables.COUNTS, tidy_tables.counts(self.record, self.run_records))
        return found[found["event"].notna()].reset_index(drop=True)

    @cached_property
    def latencies(self) -> "pd.DataFrame":
        """A row a steady inference of a run on the machine itself that is ok; `index` counts from 0 within the run."""
        return _frame(tidy_tables.LATENCIES, tidy_tables.latencies(self.run_records))

    @cached_property
    def phases(self) -> "pd.DataFrame":
        """A row a run and phase of the worker, for the runs on the machine itself that are ok.

        Of a live session the phase `live` is the window, and the first run has what was paid before it.
        """
        return _frame(PHASES, (row for run in native(self.run_records) for row in _phases(run)))

    @cached_property
    def models(self) -> "pd.DataFrame":
        """A row a model; `reason` says why its file's inside is not known."""
        return _frame(MODELS, map(_model, self.record.models))

    @cached_property
    def costs(self) -> "pd.DataFrame":
        """Every figure of the report, a row each, with the ends `low` and `high` of its 95 % interval.

        `subject` is the model. `what` is `fixed` for what a process pays once, `slope` and `region` for the cost of
        each image found in two ways, `whole` for a process of so many `images`, or another word; with `_ratio` behind
        it, the figure is divided by the baseline's. What a live session came to is under the event `session`. `status`
        says whether it was counted, scaled up, simulated or modelled, or is absent.
        """
        found = every(self.record, self.run_records, analyse(self.record, self.run_records))
        return _frame(tidy_tables.QUANTITIES, tidy_tables.figures(found))

    @cached_property
    def metadata(self) -> "pd.DataFrame":
        """The machine, a row a fact, under pyperf's names; all facts are text."""
        return _frame(
            ("key", "fact"), ((key, str(fact)) for key, fact in pyperf_metadata.of_study(self.record).items())
        )

    @property
    def tables(self) -> "dict[str, pd.DataFrame]":
        """All frames by name."""
        names = ("runs", "counts", "latencies", "phases", "models", "costs", "metadata")
        return {name: getattr(self, name) for name in names}


def load(study: str | Path, runs: str | Path = "runs") -> StudyFrames:
    """The study at a path, or of that name in the folder `runs`.

    Raises:
        ProfilerError: There is none, or it is damaged or of another schema.
    """
    return StudyFrames(*store.load(store.find(Path(runs), str(study))))


def _frame(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> "pd.DataFrame":
    import pandas as pd

    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame({name: _column(name, its) for name, its in zip(columns, values, strict=True)})


def _column(name: str, values: Sequence[Any]) -> "pd.Series[Any]":
    import pandas as pd

    found: Any = list(values)
    if name == "started_at":
        whole: Any = [moment if pyperf_metadata.dated(moment) else None for moment in values]
        found = pd.to_datetime(whole, utc=True, format="ISO8601")
    made: pd.Series[Any] = pd.Series(found, dtype=_OF.get(name, "string"))
    return made


def _run(run: records.Run, runtime: str) -> tuple[object, ...]:
    case, before, after = run.case, run.before, run.after
    own = case.simulator is None
    return (
        *(run.order, case.model, runtime, case.images, case.region, " ".join(case.group), run.repeat, case.simulator),
        *(run.outcome, run.error, run.started_at, run.wall_ns if own else None),
        run.completion.peak_rss_bytes if own and run.completion else None,
        *(before.load_1min, _mean(before.clock_hz), _mean(after.clock_hz)),
        *(before.temperature_celsius, after.temperature_celsius, before.throttled, after.throttled),
        *(before.governor, before.memory_available_bytes, before.swap_used_bytes),
    )


def _mean(clocks: tuple[int, ...] | None) -> float | None:
    return sum(clocks) / len(clocks) if clocks else None


def _phases(run: records.Run) -> Iterator[tuple[object, ...]]:
    if run.completion is None or run.outcome != "ok":
        return
    for phase, used in run.completion.phases.items():
        yield (
            *(run.order, run.case.model, run.case.images, run.case.region, run.repeat, phase),
            *(used.wall_ns, used.cpu_ns, used.user_ns, used.system_ns, used.page_faults, used.context_switches),
        )


def _model(model: records.Model) -> tuple[object, ...]:
    """Bytes of an inference are those of `records.Network`; resident is what the load itself added."""
    network, engine = model.network, model.engine
    return (
        *(model.label, model.runtime, model.file, model.size_bytes, model.sha256 or None),
        *(engine.package, engine.version, engine.call, engine.threads, engine.delegate),
        *("x".join(map(str, model.input.shape)), model.input.dtype),
        *((network.parameters, network.macs, network.read_bytes) if network else (None, None, None)),
        *((network.arena_bytes, network.working_set_bytes) if network else (None, None)),
        model.resident.load_bytes if model.resident else None,
        None if network else model.network_lack or "the study does not hold what is in the file",
    )
