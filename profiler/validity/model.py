"""What a study's figures are worth: findings with stable codes, and the grades that follow. Plain data.

A code is part of the interface: programs may look for it, so it is never renamed. `codes` says what each means.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from profiler.records import Case

Grade = Literal["valid", "degraded", "invalid"]
"""`degraded`: the figures stand, but some of them say less or other than they seem to. `invalid`: they do not stand."""

GRADES: tuple[Grade, ...] = ("valid", "degraded", "invalid")
"""From best to worst."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or that the reader must know.

    Attributes:
        code: Its stable name (`multiplexed`, `throttled`, `few-repeats`, ...).
        grade: What the runs, cases or the study it is about are worth at best; `valid` for what is only good to know.
        what: A sentence or two: what is so, and what follows from it.
        remedy: What to do next, in a sentence; empty where nothing can be done.
        runs: `Run.order` of the runs that it is about.
        cases: The cases that it is about, where it is about all of their runs together.
        study: It is about the study as a whole.
    """

    code: str
    grade: Grade
    what: str
    remedy: str = ""
    runs: tuple[int, ...] = ()
    cases: tuple[Case, ...] = ()
    study: bool = False

    @property
    def sentence(self) -> str:
        """What is so and what to do, for a list of warnings."""
        return f"{self.what} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class Validity:
    """The grades of a study, of each case and of each run.

    Attributes:
        grade: Of the study.
        findings: The most serious first.
        cases: By case, its grade and the codes that it is for.
        runs: By `Run.order`, likewise.
    """

    grade: Grade
    findings: tuple[Finding, ...]
    cases: dict[Case, tuple[Grade, tuple[str, ...]]]
    runs: dict[int, tuple[Grade, tuple[str, ...]]]

    @property
    def codes(self) -> tuple[str, ...]:
        """What the grade is for, each code once, the most serious first; empty where nothing lowers it."""
        return tuple(dict.fromkeys(finding.code for finding in self.findings if finding.grade != "valid"))


def worst(grades: tuple[Grade, ...]) -> Grade:
    """The worst of these; `valid` of none."""
    return max(grades, key=GRADES.index, default="valid")


def plain(validity: Validity) -> dict[str, Any]:
    """As plain values and records, for JSON. Cases and runs that are not listed are valid without any finding."""
    return {
        "grade": validity.grade,
        "findings": [asdict(finding) for finding in validity.findings],
        "cases": [
            {"case": case, "grade": grade, "codes": codes} for case, (grade, codes) in validity.cases.items() if codes
        ],
        "runs": [
            {"run": order, "grade": grade, "codes": codes} for order, (grade, codes) in validity.runs.items() if codes
        ],
    }
