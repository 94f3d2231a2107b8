"""Where the counts of an image were taken: around the inferences alone, with each image's way to them, or in a session.

Such counts are no neighbours: each has words of its own in tables, and a comparison keeps them apart.
"""

from typing import Literal, NamedTuple

from profiler.records import Region, Study

Around = Literal["inference", "captured", "live"]
"""What is counted with an image: its inference; also its capture, decoding and preprocessing; all that a live session's
process does meanwhile."""

COUNTED: tuple[Region, ...] = ("inference", "live")
"""Regions whose counts over their images are the cost of each; a study has one of them."""


class Words(NamedTuple):
    """How such figures are called.

    Attributes:
        title: Of the table of what each image costs.
        caption: Where they were counted, in a sentence.
        images: What a process does for its images before the first inference.
        noun: What they are for each of.
    """

    title: str
    caption: str
    images: str = "images into RAM"
    noun: str = "image"


WORDS: dict[Around, Words] = {
    "inference": Words("Paid for each image", "Counted in the region of steady inferences alone."),
    "captured": Words(
        "Paid for each image, its capture included",
        "Counted in the region of steady inferences, each with its image's capture, decoding and preprocessing.",
        images="opening of the camera",
    ),
    "live": Words(
        "For each labelled frame",
        "All that the process did while it classified the recorded windows of frames (capture, decoding, "
        "preprocessing, inference, display), over their labelled frames; an interval is of windows of one process.",
        noun="frame",
    ),
}

REGIONS: dict[Around, dict[Region, str]] = {
    "inference": {
        "process": "Region `process`: everything from the process's start to its end, with the interpreter, the "
        "engine's import, the model's load, the images' way into RAM, the first inference and the warm-up. A line "
        "through the counts over several image counts parts the fixed cost (at no image) from that per image (its "
        "slope).",
        "inference": "Region `inference`: the steady inferences alone, after the first inference and the warm-up; "
        "their count over the images is the cost per image, with no fixed cost to part from it.",
    },
    "captured": {
        "process": "Region `process`: everything from the process's start to its end, with the interpreter, the "
        "engine's import, the model's load, the first inference and the warm-up, and of every image its capture from "
        "the source, its decoding and preprocessing (`--capture-in-region`). A line through the counts over several "
        "image counts parts the fixed cost (at no image) from that per image (its slope), which so is no inference's "
        "alone.",
        "inference": "Region `inference`: the steady inferences after the first inference and the warm-up, each with "
        "its image's capture from the source, decoding and preprocessing (`--capture-in-region`); their count over "
        "the images is the cost per image, of all of that together. Waiting for a source that sets the pace is in "
        "its time.",
    },
    "live": {
        "live": "Region `live`: everything this process did while it classified a window of frames: capture, "
        "decoding, preprocessing, inference, display. Divided by the window's labelled frames it is the figure of a "
        "frame; the work on frames that were dropped is in it.",
    },
}
"""What each region is, in sentences."""


def around(study: Study) -> Around:
    """What the study's counts of an image were taken around."""
    if study.live is not None:
        return "live"
    return "captured" if study.plan.capture_in_region else "inference"
