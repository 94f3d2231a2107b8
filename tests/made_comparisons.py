"""Studies made to be compared."""

from typing import Any

from studies import KERAS, LITERT, made_study

from profiler.compare import comparison
from profiler.compare.model import Comparison
from profiler.compare.study import Loaded
from profiler.records import Run, Study

Made = tuple[Study, tuple[Run, ...]]

SMALL: dict[str, Any] = {"images": (1, 10, 20), "repeats": 3}


def made(**recipe: Any) -> Made:
    return made_study(**SMALL | recipe)


def compared(*studies: Made) -> Comparison:
    return comparison([Loaded(name, *study) for name, study in zip("ABCD", studies, strict=False)])


def dearer(event: str, times: float, *, fixed: float = 1.0) -> dict[str, Any]:
    """A truth in which one event of keras costs so many times as much for each image, and once."""
    once, each = KERAS[event]
    return {"truth": {"keras": KERAS | {event: (once * fixed, each * times)}, "litert": LITERT}}
