"""The section on what the study's figures are worth: its grade, the codes that gave it, the cases not valid."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.records import Study
from profiler.report.cells import names
from profiler.report.model import Label, Section, Table
from profiler.validity.model import Finding, Grade, Validity, worst

GRADE_WORDS: dict[Grade, str] = {"valid": "good to know", "degraded": "degraded", "invalid": "invalid"}
"""What the grade of a finding is called."""

MEANINGS: dict[Grade, str] = {
    "valid": "every figure says what it seems to",
    "degraded": "the figures stand, but some of them say less or other than they seem to",
    "invalid": "its figures do not stand",
}
"""What the grade of a study says."""


_NAMED, _ROWS = 6, 30
"""Most models that a row names, and most rows of cases."""


def verdict_section(study: Study, validity: Validity) -> Section:
    """Two tables, one row a code and one row for cases that are alike, so that any study's fit on a page."""
    tables = []
    if validity.findings:
        tables.append(_codes(validity))
    if any(grade != "valid" for grade, _ in validity.cases.values()):
        tables.append(_cases(study, validity))
    sentences = (f"{verdict(study.name, validity)} `profiler check --codes` lists what each code means.",)
    return Section("Verdict", sentences, tables=tuple(tables))


def verdict(name: str, validity: Validity) -> str:
    """The study's grade and how many of its cases and runs have which."""
    cases = _tally("case", [grade for grade, _ in validity.cases.values()])
    runs = _tally("run", [grade for grade, _ in validity.runs.values()])
    return f"Study {name} is {validity.grade}: {MEANINGS[validity.grade]}. Of {cases}; of {runs}."


def _tally(noun: str, grades: Sequence[Grade]) -> str:
    """`24 cases 4 are degraded`."""
    parts = [
        f"{grades.count(grade):,} {'is' if grades.count(grade) == 1 else 'are'} {grade}"
        for grade in ("degraded", "invalid")
        if grade in grades
    ]
    return f"{notation.counted(len(grades), noun)} {notation.listed(parts) or 'none is less than valid'}"


def about(found: Iterable[Finding]) -> str:
    """What findings are about, in numbers: `12 runs`, `4 cases`, `study`."""
    mine = list(found)
    runs = {order for finding in mine for order in finding.runs}
    cases = {case for finding in mine for case in finding.cases}
    parts = [notation.counted(len(runs), "run")] if runs else []
    parts += [notation.counted(len(cases), "case")] if cases else []
    return notation.listed(parts) or "the study"


def _codes(validity: Validity) -> Table:
    by_code: dict[str, list[Finding]] = {}
    for finding in validity.findings:
        by_code.setdefault(finding.code, []).append(finding)
    rows = tuple(
        (
            code,
            GRADE_WORDS[worst(tuple(finding.grade for finding in mine))],
            about(mine),
            " ".join(dict.fromkeys(finding.remedy for finding in mine if finding.remedy)) or "nothing",
        )
        for code, mine in by_code.items()
    )
    caption = "What is so, in words, stands before the figures."
    return Table("verdict-codes", "What was found", ("code", "grade", "about", "what to do"), rows, caption, words=True)


def _cases(study: Study, validity: Validity) -> Table:
    """The cases that are not valid: those that differ in model, images and passes alone share a row."""
    simulated = study.simulation is not None
    rows = tuple(
        (models, images, alike.region, *([alike.simulator or "this machine"] if simulated else []), *alike.judged)
        for models, images, alike in sorted(_rows(study, validity), key=lambda row: row[2].grade != "invalid")
    )
    heads = ("model", "images", "region", *(["run by"] if simulated else []), "grade", "codes")
    more = len(rows) - _ROWS
    caption = f"And {more} more rows: `profiler check --json` has every case." if more > 0 else ""
    return Table("verdict-cases", "Cases that are not valid", heads, rows[:_ROWS], caption, words=True)


class _Alike(NamedTuple):
    """What cases have in common that share a row; `codes` are those that gave the grade."""

    region: str
    simulator: str | None
    grade: Grade
    codes: tuple[str, ...]

    @property
    def judged(self) -> tuple[str, str]:
        return self.grade, ", ".join(self.codes)


def _rows(study: Study, validity: Validity) -> Iterator[tuple[Label | str, str, _Alike]]:
    """Models and images of cases that are alike."""
    why = set(validity.codes)
    images: dict[tuple[str, _Alike], set[int]] = {}
    for case, (grade, codes) in validity.cases.items():
        if grade != "valid":
            alike = _Alike(case.region, case.simulator, grade, tuple(code for code in codes if code in why))
            images.setdefault((case.model, alike), set()).add(case.images)
    models: dict[tuple[str, _Alike], list[str]] = {}
    for (model, alike), counts in images.items():
        models.setdefault((_images(study, model, alike, counts), alike), []).append(model)
    for (counts_text, alike), labels in models.items():
        every = len(labels) == len(study.models) > _NAMED
        yield "all models" if every else names(labels, _NAMED), counts_text, alike


def _images(study: Study, model: str, alike: _Alike, counts: set[int]) -> str:
    """These image counts; a word where they are all that the study has of their kind."""
    kind = (model, alike.region, alike.simulator)
    every = {case.images for case in study.cases if (case.model, case.region, case.simulator) == kind}
    return "all" if counts == every and len(every) > 1 else notation.listed(map(str, sorted(counts)))
