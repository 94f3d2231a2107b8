"""What keeps two figures apart and why, and what a reader must know of two that are divided. Pure.

What blocks: another model file, region, kind of source, scope of counting, or event meaning. Another machine, engine
version or thread count is what one compares for: it blocks nothing and is listed.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.regions import Around
from profiler.machine import cache_geometry
from profiler.records import Cache, Model, Simulation, Study


class ModelPair(NamedTuple):
    """Two models that are one.

    Attributes:
        marks: What the reader must know of every figure of theirs.
    """

    first: Model
    second: Model
    marks: tuple[str, ...]


def paired(first: Sequence[Model], second: Sequence[Model]) -> tuple[ModelPair, ...]:
    """The first's models with the second's, by the file's digest and, where one is not known, by label."""
    pairs = []
    for model in first:
        others = [other for other in second if model.sha256 and other.sha256 == model.sha256]
        named = [other for other in second if other.label == model.label and not (model.sha256 and other.sha256)]
        other = next((each for each in others if each.label == model.label), next(iter([*others, *named]), None))
        if other is not None and unlike_models(model, other) is None:
            pairs.append(ModelPair(model, other, tuple(_marks(model, other))))
    return tuple(pairs)


def unlike_models(first: Model, second: Model) -> str | None:
    """Why these are two models; None where they are one, or nothing shows that they are two."""
    if first.sha256 and second.sha256:
        if first.sha256 == second.sha256:
            return None
        return f"another model file: sha256 {first.sha256[:12]} and {second.sha256[:12]}"
    shapes = [model.input.shape for model in (first, second) if model.input.shape]
    if len(set(shapes)) > 1:
        return f"another input: {' and '.join('×'.join(map(str, shape)) for shape in shapes)}"
    return None


def _marks(first: Model, second: Model) -> Iterator[str]:
    if first.label != second.label:
        yield f"the same file is {first.label} in one study and {second.label} in the other"
    if not (first.sha256 and second.sha256):
        sizes = notation.listed(notation.size(model.size_bytes) for model in (first, second) if model.size_bytes)
        yield f"{first.label} is not shown to be the same file in both studies ({sizes or 'of unknown size'})"


SCOPES = {"user": "user mode alone", "user+kernel": "user mode and kernel"}
"""What hardware events may have been counted of; an imported study may not tell."""


def unlike_scopes(first: Study, second: Study) -> str | None:
    """Why hardware counts of two studies are not of the same code."""
    mine, its = SCOPES.get(first.scope), SCOPES.get(second.scope)
    return None if mine == its or not (mine and its) else f"another scope: {mine} and {its} were counted"


_AROUND: dict[Around, str] = {
    "inference": "inferences alone or whole processes",
    "captured": "inferences or whole processes, with each image's capture in them",
    "live": "windows of a live session",
}


def unlike_regions(first: tuple[str, Around], second: tuple[str, Around]) -> str | None:
    """Why what two studies counted of an image is not of the same work; each is a study's name and what it counted."""
    if first[1] == second[1]:
        return None
    return f"another region: {', '.join(f'{name} counted {_AROUND[around]}' for name, around in (first, second))}"


def unlike_simulations(first: Simulation, second: Simulation) -> str | None:
    """Why no simulated figure of one may be divided by the other's."""
    if first.source != second.source:
        return f"another simulator: {first.version} and {second.version}"
    if first.arch != second.arch:
        return f"another instruction set under the simulator: {first.arch} and {second.arch}"
    if first.cores != second.cores:
        return f"another number of simulated cores: {first.cores} and {second.cores}"
    if first.target.prefetch != second.target.prefetch:
        return "another simulated prefetcher"
    caches = [sorted(map(_size_and_shape, each.target.caches)) for each in (first, second)]
    if caches[0] != caches[1]:
        return f"other simulated caches: {_sizes(first.target.caches)}, and {_sizes(second.target.caches)}"
    return None


def _size_and_shape(cache: Cache) -> tuple[int, str, int, int, int, int]:
    """What decides a cache's misses; 0 for what is not known."""
    return cache.level, cache.type, cache.size_bytes, cache.ways or 0, cache.line_bytes or 0, cache.shared_by or 0


def _sizes(caches: Sequence[Cache]) -> str:
    return ", ".join(f"{cache_geometry.name(cache)} {notation.size(cache.size_bytes)}" for cache in caches)


def unlike_latencies(first: Simulation, second: Simulation) -> str | None:
    """Why the modelled latency of one is not of the other's kind."""
    if first.target.latency_cycles == second.target.latency_cycles:
        return None
    return "other latencies of the modelled caches"
