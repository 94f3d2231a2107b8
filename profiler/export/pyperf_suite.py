"""The measured times as a suite of benchmarks that pyperf's own commands read: compare_to, hist, check, show, stats.

For each model, the wall time of whole processes at each image count, and single steady inferences; of a live session
its inferences alone. A run of a benchmark is a process, of a session a window. Counts and simulated runs are not among
them: pyperf's values are times.
"""

import gzip
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from profiler.analysis.costs import native
from profiler.analysis.study_analysis import longest, timed
from profiler.errors import ProfilerError
from profiler.export import pyperf_metadata
from profiler.export.frames import StudyFrames
from profiler.records import Completion, Model, Run

if TYPE_CHECKING:
    import pyperf

_SECOND = 1e9  # in ns
_WALL = "duration_time"


def files(study: StudyFrames, name: str) -> dict[str, bytes]:
    """pyperf's JSON; compressed where the name ends with .gz, as pyperf expects it then.

    Raises:
        ProfilerError: Nothing was timed.
    """
    text = io.StringIO()
    suite(study).dump(text)
    data = text.getvalue().encode()
    return {name: gzip.compress(data, mtime=0) if name.endswith(".gz") else data}


def suite(study: StudyFrames) -> "pyperf.BenchmarkSuite":
    """The benchmarks, model by model.

    Raises:
        ProfilerError: Nothing was timed.
    """
    import pyperf

    benchmarks = [benchmark for model in study.record.models for benchmark in _of_model(study, model)]
    if not benchmarks:
        raise ProfilerError(
            f"study '{study.record.name}' has no times for pyperf: no run on a machine itself ended well",
            "export it --to csv, parquet or json",
        )
    return pyperf.BenchmarkSuite(benchmarks)


def _of_model(study: StudyFrames, model: Model) -> "Iterator[pyperf.Benchmark]":
    import pyperf

    runs = [run for run in native(study.run_records) if run.case.model == model.label and run.outcome == "ok"]
    whole = [(run, wall) for run in runs if run.case.region == "process" and (wall := _wall_ns(run)) > 0]
    for images in sorted({run.case.images for run, _ in whole}):
        name = f"{model.label}, whole process of {images} image{'' if images == 1 else 's'}"
        own = _own(study, model, name, images) | {"timer": _WALL}
        of_count = [(run, wall) for run, wall in whole if run.case.images == images]
        yield pyperf.Benchmark([_run((wall,), (), run, own) for run, wall in of_count])
    if most := longest(timed(runs)):
        own = _own(
            study,
            model,
            f"{model.label}, {'live' if study.record.live else 'steady'} inference",
            most[0][0].case.images,
        )
        own |= {"timer": "time.perf_counter_ns"}
        warmup = study.record.plan.warmup
        yield pyperf.Benchmark([_run(done.latencies_ns, _warmups(done, warmup), run, own) for run, done in most])


def _wall_ns(run: Run) -> float:
    """The wall time that was counted of a whole process; 0 where it was not."""
    return next((float(count.value) for count in run.counts if count.event == _WALL and count.value), 0.0)


def _warmups(completion: Completion, warmup: int) -> Iterator[tuple[int, float]]:
    """The first inference, and the mean of those that warm up, as pyperf has it: (times, ns)."""
    for phase, times in (("first", 1), ("warmup", warmup)):
        used = completion.phases.get(phase)
        if used and times:
            yield times, used.wall_ns / times


def _own(study: StudyFrames, model: Model, name: str, images: int) -> dict[str, pyperf_metadata.Value]:
    """What is the same for all runs of a benchmark; names that are not pyperf's begin with `profiler_`."""
    import pyperf

    record, engine = study.record, model.engine
    found = {
        "name": name,
        "unit": "second",
        "loops": 1,
        "perf_version": pyperf.__version__,
        **pyperf_metadata.of_study(record),
        "profiler_version": record.profiler_version,
        "profiler_study": record.name,
        "profiler_model": model.file,
        "profiler_model_sha256": model.sha256,
        "profiler_engine": f"{engine.package} {engine.version}, {engine.call}",
        "profiler_threads": "default" if record.plan.threads is None else record.plan.threads,
        "profiler_images": images,
    }
    return {key: value for key, value in found.items() if value != ""}


def _run(
    values_ns: Iterable[float],
    warmups_ns: Iterable[tuple[int, float]],
    run: Run,
    own: Mapping[str, pyperf_metadata.Value],
) -> "pyperf.Run":
    import pyperf

    return pyperf.Run(
        [value / _SECOND for value in values_ns],
        warmups=[(times, value / _SECOND) for times, value in warmups_ns],
        metadata={**own, **pyperf_metadata.of_run(run)},
        collect_metadata=False,
    )
