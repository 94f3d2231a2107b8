"""The miss curve of a model: its real inference once under QEMU, its reuse distances sampled, misses by cache size.

One process a seed, side by side: the seeds draw different lines, so how far their curves are apart shows what sampling
costs. The counted region holds one inference after one warm-up, so that what is warm, what is cold and what is touched
are all exact but for the sampling.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import structs

from profiler.analysis.stats import Floats
from profiler.counters import qemu, reuse_distance
from profiler.counters.reuse_distance import Distances, Reuse
from profiler.errors import ProfilerError
from profiler.measure import simulated_runs
from profiler.measure.process import Stop, side_by_side
from profiler.measure.run import WORKER, Workplace, inspect, measure, stage
from profiler.measure.simulated_runs import Simulated
from profiler.miss_curve import figure
from profiler.miss_curve import page as curve_page
from profiler.miss_curve.curve import CurvePoint
from profiler.modelfile import ModelFile
from profiler.records import Case, MissCurve, Model, Plan, Run, to_json
from profiler.runtimes import KERAS_CALLS
from profiler.store import Store, write_all

SEEDS = (1, 2)
SMALLEST_BYTES, LARGEST_BYTES = 2**14, 2**26
"""Of the caches on the curve: 16 KiB to 64 MiB."""
HANDS = 8
"""Samples a process: as many as there can be, for they cost little beside the simulation."""
IMAGES = 1
"""Inferences in the region. Of several, no cold one could be told from the others."""


class Options(NamedTuple):
    """How a curve is made.

    Attributes:
        caches: The machine whose caches are simulated in full in the same pass; None for the board's own, or a Pi 5's.
        on: The virtual board whose programs run; None for this machine's own.
        threads: Of the engine.
        seeds: One process each.
        source: Of the image, as `images.pool` knows them.
        timeout_s: What a process may take on this machine itself; the simulation gets many times that.
    """

    caches: str | None = None
    on: str | None = None
    threads: int = 1
    seeds: tuple[int, ...] = SEEDS
    source: str = "builtin"
    timeout_s: float = 300.0


class Ready(NamedTuple):
    """A model that has been looked at, and all that its simulated processes need; without a prefetcher."""

    model: Model
    place: Workplace
    simulated: Simulated
    kept: Store

    def simulate(self, order: int, sampled: Reuse | None) -> Run:
        """One process.

        Args:
            order: Its number, which no other process may have.
            sampled: None for the plain simulation.

        Raises:
            ProfilerError: It did not end well.
        """
        source = qemu.open(self.simulated.setup._replace(reuse=sampled))
        group = self.simulated.survey.groups[0]
        case = Case(model=self.model.label, images=IMAGES, region="inference", group=group, simulator=source.name)
        run = measure(order, case, 0, self.place, source, self.kept)
        if run.outcome != "ok" or run.raw is None:
            why = run.error or "the emulator ended without its counts"
            raise ProfilerError(
                f"{self.model.file} cannot be run under {source.version} ({why})",
                "try `profiler doctor`, and the same model in a sweep with --counters qemu",
            )
        return run

    def distances(self, run: Run) -> Distances:
        """What a process sampled.

        Raises:
            ProfilerError: Nothing that can be read.
        """
        assert run.raw
        return reuse_distance.read(self.kept.folder / run.raw)


def run(
    model: ModelFile,
    options: Options,
    tell: Callable[[str], None] = lambda _: None,
    worker: Sequence[str] = WORKER,
) -> MissCurve:
    """The model's miss curve.

    Args:
        tell: Gets a line at every step.

    Raises:
        ProfilerError: The model, the machine, the board or the simulator cannot be used, or a process fails.
    """
    tell(f"looking at {model.label}")
    with ready(model, options, worker) as found:
        tell(f"simulating an inference of {model.label} with {len(options.seeds)} draws of lines")
        runs = _runs(found, options.seeds)
        return _curve(found, options, runs, [found.distances(run) for run in runs])


@contextmanager
def ready(model: ModelFile, options: Options, worker: Sequence[str] = WORKER) -> Iterator[Ready]:
    """The model looked at and its image staged; the processes' files go when this closes.

    Raises:
        ProfilerError: The model, the machine, the board or the simulator cannot be used.
    """
    plan = _plan(options)
    simulated, lack = simulated_runs.choose(plan, None, [model.runtime])
    # Asked for by name, it is there or was refused.
    assert simulated, lack
    target = structs.replace(simulated.setup.target, prefetch={"kind": "none"})
    simulated = simulated._replace(setup=simulated.setup._replace(target=target))
    with tempfile.TemporaryDirectory(prefix="profiler-") as folder, Stop() as stop:
        place = Workplace(Path(folder), worker, plan, {model.label: model}, {}, {}, stop)
        if simulated.setup.virtual:
            place = simulated_runs.settle(place, simulated.setup.virtual)
        looked = inspect(model, place)
        place = place._replace(pools=stage([looked], plan, place.folder))
        kept = Store(place.folder)
        kept.raw.mkdir()
        yield Ready(looked, place, simulated, kept)


def misses(found: Distances, sizes_bytes: Sequence[int]) -> tuple[Floats, Floats]:
    """Misses in the region, a row a sample and a column a size: in warm caches, and in caches empty at its start.

    A cache of as many lines as an edge misses every touch from that distance on. Warm, that is of all touches, and of
    lines never seen the first one; cold, it is the first touch of every line and of the others those from there on.
    """
    places = [found.edges.index(size // found.line_bytes) for size in sizes_bytes]
    first = _from_edge_on([sample.first for sample in found.samples])[:, places]
    again = _from_edge_on([sample.again for sample in found.samples])[:, places]
    never = np.array([[sample.first_never] for sample in found.samples])
    lines = np.array([[sample.lines] for sample in found.samples])
    return found.one_in * (never + first + again), found.one_in * (lines + again)


def sizes(found: Distances) -> tuple[int, ...]:
    """The caches whose misses the distances tell."""
    every = (edge * found.line_bytes for edge in found.edges)
    return tuple(size for size in every if SMALLEST_BYTES <= size <= LARGEST_BYTES)


def write(curve: MissCurve, points: Sequence[CurvePoint], folder: Path) -> Path:
    """Writes curve.json (the record), curve.csv, curve.svg and index.html; each is there whole or not at all.

    Nothing is written before all of it is made, and the page comes last.

    Returns:
        The page's path.

    Raises:
        ProfilerError: The folder cannot be written.
    """
    drawn, page = figure.draw(curve, points), folder / "index.html"
    files = {
        folder / "curve.json": to_json(curve),
        folder / "curve.csv": curve_page.csv(curve),
        folder / "curve.svg": drawn,
        page: curve_page.render(curve, points, drawn).encode(),
    }
    write_all(files, folder, "curve")
    return page


def _from_edge_on(histograms: Sequence[Sequence[int]]) -> Floats:
    """Of each histogram the sum of every entry and those after it."""
    return np.cumsum(np.array(histograms, dtype=np.float64)[:, ::-1], axis=1)[:, ::-1]


def _plan(options: Options) -> Plan:
    return Plan(
        images=(IMAGES,),
        repeats=1,
        warmup=1,
        threads=options.threads,
        regions=("inference",),
        phases=False,
        event_set="caches",
        counters="qemu",
        source=options.source,
        seed=0,
        timeout_s=options.timeout_s,
        cpus=None,
        keras_call=KERAS_CALLS[0],
        caches=options.caches,
        on=options.on,
        simulated_images=(IMAGES,),
    )


def _runs(found: Ready, seeds: Sequence[int]) -> list[Run]:
    """A process a seed, in the seeds' order."""
    runs: list[Run] = []
    side_by_side(
        list(enumerate(seeds)),
        lambda job: found.simulate(job[0], Reuse(hands=HANDS, seed=job[1])),
        runs.append,
        found.simulated.lanes,
        found.place.stop,
    )
    return sorted(runs, key=lambda run: run.order)


def _curve(found: Ready, options: Options, runs: Sequence[Run], sampled: Sequence[Distances]) -> MissCurve:
    model, first = found.model, sampled[0]
    columns = sizes(first)
    steady, cold = (np.vstack(rows) / IMAGES for rows in zip(*(misses(each, columns) for each in sampled), strict=True))
    setup, source = found.simulated.setup, found.simulated.source
    return MissCurve(
        file=model.file,
        file_bytes=model.size_bytes,
        sha256=model.sha256,
        runtime=model.runtime,
        source=source.version,
        arch=source.arch,
        guest=setup.virtual.title if setup.virtual else None,
        engine=f"{model.engine.package} {model.engine.version}",
        threads=options.threads,
        images=IMAGES,
        line_bytes=first.line_bytes,
        one_in=first.one_in,
        seeds=options.seeds,
        sizes_bytes=columns,
        steady=tuple(map(tuple, steady.tolist())),
        cold=tuple(map(tuple, cold.tolist())),
        touched=tuple(float(each.one_in * sample.lines) for each in sampled for sample in each.samples),
        target=setup.target,
        full=_means(runs),
    )


def _means(runs: Sequence[Run]) -> dict[str, float]:
    """Of each event that every run has a count of, for an inference."""
    every = [{count.event: count.value for count in run.counts if count.value is not None} for run in runs]
    return {
        event: sum(counts[event] for counts in every) / len(every) / IMAGES
        for event in every[0]
        if all(event in counts for counts in every)
    }
