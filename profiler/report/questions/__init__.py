"""The lab's six questions, each answered by rules over the figures, in a module of its own."""

from collections.abc import Callable, Sequence

from profiler.analysis.study_analysis import Analysis
from profiler.records import Study
from profiler.report.model import Question
from profiler.report.questions.image_count import images
from profiler.report.questions.invalidations import invalidations
from profiler.report.questions.llc import llc
from profiler.report.questions.overall import overall
from profiler.report.questions.sizes import sizes
from profiler.report.questions.stalls import stalls

Ask = Callable[[Study, Analysis], Question]


def questions(study: Study, analysis: Analysis) -> tuple[Question, ...]:
    """All of them in the lab's order, those that the data cannot answer included."""
    asked: Sequence[Ask] = (overall, sizes, images, stalls, invalidations, llc)
    return tuple(ask(study, analysis) for ask in asked)
