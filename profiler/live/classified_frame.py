"""What a session hands to whoever watches it: a frame and its answer."""

from typing import NamedTuple

from profiler.camera.source import Frame
from profiler.records import Shown


class ClassifiedFrame(NamedTuple):
    """A classified frame. Times are of `time.perf_counter_ns`.

    Attributes:
        answers: Best first, as many as were asked for.
        winner: The winning class; of a network with one output 1 where the positive class is the likelier one.
        score: The winning output's raw value; of a network with one output, that output.
        taken_ns: When the loop took the frame; then it was preprocessed, then inferred.
    """

    frame: Frame
    answers: tuple[Shown, ...]
    winner: int
    score: float
    taken_ns: int
    prepared_ns: int
    inferred_ns: int

    @property
    def inference_ns(self) -> int:
        """Time of the inference alone."""
        return self.inferred_ns - self.prepared_ns

    @property
    def age_ns(self) -> int:
        """From the frame's capture to its label."""
        return self.inferred_ns - self.frame.at_ns
