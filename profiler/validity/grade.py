"""From findings to grades: of each run, each case and the study, as `codes` says."""

from collections.abc import Sequence

from profiler.analysis.study_analysis import Analysis
from profiler.records import Case, Run, Study
from profiler.validity.codes import CODES
from profiler.validity.findings import findings
from profiler.validity.model import Finding, Grade, Validity, worst

_Judged = tuple[Grade, tuple[str, ...]]


def judge(study: Study, runs: Sequence[Run], analysis: Analysis) -> Validity:
    """What the study's figures are worth."""
    found = findings(study, runs, analysis)
    of_runs = _runs(runs, found)
    cases = _cases(study, runs, of_runs, found)
    return Validity(_grade([grade for grade, _ in cases.values()], found), found, cases, of_runs)


def _runs(runs: Sequence[Run], found: Sequence[Finding]) -> dict[int, _Judged]:
    named: dict[int, list[Finding]] = {run.order: [] for run in runs}
    for finding in found:
        for order in finding.runs:
            named[order].append(finding)
    return {order: _judged(mine) for order, mine in named.items()}


def _cases(
    study: Study, runs: Sequence[Run], of_runs: dict[int, _Judged], found: Sequence[Finding]
) -> dict[Case, _Judged]:
    made: dict[Case, list[_Judged]] = {case: [] for case in study.cases}
    named: dict[Case, list[Finding]] = {case: [] for case in study.cases}
    for run in runs:
        made.setdefault(run.case, []).append(of_runs[run.order])
    for finding in found:
        for case in finding.cases:
            named[case].append(finding)
    return {case: _case(made[case], _judged(named[case])) for case in study.cases}


def _case(runs: Sequence[_Judged], together: _Judged) -> _Judged:
    """The grade of a case from those of its runs, and what is found of them together."""
    grades = [grade for grade, _ in runs]
    least: Grade = "valid"
    if all(grade == "invalid" for grade in grades):
        least = "invalid"
    elif any(grade != "valid" for grade in grades):
        least = "degraded"
    codes = {code for _, its in (*runs, together) for code in its}
    return worst((least, together[0])), tuple(code for code in CODES if code in codes)


def _judged(found: Sequence[Finding]) -> _Judged:
    codes = {finding.code for finding in found}
    return worst(tuple(finding.grade for finding in found)), tuple(code for code in CODES if code in codes)


def _grade(cases: Sequence[Grade], found: Sequence[Finding]) -> Grade:
    if all(grade == "invalid" for grade in cases):
        return "invalid"
    least: Grade = "degraded" if any(grade != "valid" for grade in cases) else "valid"
    return worst((least, *(finding.grade for finding in found if finding.study)))
