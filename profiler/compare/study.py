"""A study as one of those that are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from profiler.analysis.costs import Costs
from profiler.analysis.study_analysis import Analysis, analyse
from profiler.errors import ProfilerError
from profiler.records import Run, Study
from profiler.validity.grade import judge
from profiler.validity.model import Validity


class Loaded(NamedTuple):
    """A study as it was read.

    Attributes:
        name: What it is called here: its folder's name.
    """

    name: str
    study: Study
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A study with its figures.

    Attributes:
        name: Unique among those that are compared.
        validity: What its own figures are worth.
    """

    name: str
    study: Study
    runs: tuple[Run, ...]
    analysis: Analysis
    validity: Validity

    def costs(self, simulated: bool) -> Costs | None:
        """What was counted, or what was simulated; None where nothing was."""
        if simulated:
            return self.analysis.simulated
        return self.analysis.costs if self.study.counter_source is not None else None


def subjects(loaded: Sequence[Loaded]) -> tuple[Subject, ...]:
    """The studies with their figures, each under a name of its own.

    Raises:
        ProfilerError: No run of one of them ended well.
    """
    found: list[Subject] = []
    for name, study, runs in loaded:
        if not any(run.outcome == "ok" for run in runs):
            why = next((run.error for run in runs if run.error), "it has none" if not runs else "none is ok")
            raise ProfilerError(
                f"no run of study {name} ended well ({why}): there is nothing to compare",
                f"`profiler report {name}` says why; sweep again",
            )
        twice = sum(each.name == name or each.name.startswith(f"{name} (") for each in found)
        unique = f"{name} ({twice + 1})" if twice else name
        analysis = analyse(study, runs)
        found.append(Subject(unique, study, runs, analysis, judge(study, runs, analysis)))
    return tuple(found)


def same_runs(first: Subject, second: Subject) -> bool:
    """Whether both are the same runs, which a copied folder has."""
    return first.study.created_at == second.study.created_at and first.runs == second.runs
