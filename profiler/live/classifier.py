"""A model opened in this process, asked for one frame at a time."""

import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError
from profiler.live import class_names as label_files
from profiler.live.output_decoding import OutputDecoder, kind_of
from profiler.live.preprocess import WHOLE, Preparer, floating
from profiler.live.quiet_engine import hushed
from profiler.modelfile import ModelFile, cards
from profiler.modelfile.cards import Card
from profiler.pixels import Pixels
from profiler.records import Engine, Fit, OutputKind, Shown, TensorSpec, Usage
from profiler.runtimes import Runtime, open_runtime
from profiler.runtimes.usage import account, used

T = TypeVar("T")

_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
"""A GPU would take the work away from the CPU that is counted; a warning would stand in the midst of the figures."""
_ONE_OR_LIST = "The structure of `inputs` doesn't match"
"""Keras's warning where a model with a list of one input is given that input alone, which it takes all the same."""

RANDOM = "The model's weights are random: its answers mean nothing."


class Classifier:
    """A model that is loaded and has inferred once.

    Attributes:
        classes: Of a network with one output the negative and the positive.
        phases: Usage of `import`, `load` and `first`, by name.
        remark: What whoever reads the answers must know, in a sentence; None where there is nothing.
    """

    def __init__(
        self,
        file: ModelFile,
        runtime: Runtime,
        specs: tuple[TensorSpec, TensorSpec],
        preparer: Preparer,
        reader: OutputDecoder,
        kind: OutputKind,
        fit: Fit,
        phases: dict[str, Usage],
    ) -> None:
        self.file, self.fit, self.kind, self.phases = file, fit, kind, phases
        self.remark = RANDOM if cards.random_weights(file) else None
        self.input, self.output = specs
        self.classes = reader.classes
        self._runtime, self._preparer, self._reader = runtime, preparer, reader

    def prepare(self, pixels_bgr: Pixels, /) -> NDArray[Any]:
        """The model's input for a frame of any size, height x width x 3 in the order BGR."""
        return self._preparer(pixels_bgr)

    def infer(self, batch: NDArray[Any], /) -> Any:
        """The model's output, as it comes."""
        return self._runtime.infer(batch)

    def answer(self, raw: Any, /) -> tuple[tuple[Shown, ...], int, float]:
        """Answers best first, the winning class and its raw value, as in `Labelled`.

        Raises:
            ProfilerError: An output is no number, or not of the kind that was said.
        """
        return self._reader(raw)

    def engine(self) -> Engine:
        """What runs the model."""
        return msgspec.convert(self._runtime.engine(), Engine)


def open_classifier(
    file: ModelFile,
    *,
    threads: int | None,
    call: str,
    output: OutputKind | None,
    labels: Path | None,
    fit: Fit,
    top: int,
    pixels: tuple[float, float] | None,
) -> Classifier:
    """Loads a model in this process and asks it once, for a black image; the engine's chatter is shown on an error.

    Args:
        call: How Keras is asked.
        output: What the last layer gives; None for what the card or the file says.
        labels: File with the names of the classes; None for the card's, or numbers.
        top: Most answers for a frame.
        pixels: What 0 and 255 become for an input of floating point; None for what the card says, or as they are.

    Raises:
        ProfilerError: The engine is not installed; the model cannot be loaded or asked, or is no classifier of one
            image; card, labels, `output` or `pixels` do not fit it.
    """
    card = cards.of(file)
    told = None if labels is None else (labels, label_files.read(labels))
    os.environ.update(_ENVIRONMENT)
    warnings.filterwarnings("ignore", _ONE_OR_LIST, UserWarning)
    phases: dict[str, Usage] = {}
    with hushed():
        runtime = _timed(phases, "import", lambda: open_runtime(file.runtime, threads, call))
        ends = _timed(phases, "load", lambda: runtime.load(str(file.path)))
    given, made = (TensorSpec(**tensor._asdict()) for tensor in ends)
    preparer = Preparer(given, fit, _range(file, given, pixels, card))
    black = preparer(np.zeros((*given.shape[1:3], 3), np.uint8))
    with hushed():
        raw = _timed(phases, "first", lambda: _first(file, runtime, black))
    outputs = _outputs(file, raw)
    kind = kind_of(file, outputs, output, card)
    names = label_files.names(file.path, outputs, told, card)
    classifier = Classifier(
        file, runtime, (given, made), preparer, OutputDecoder(file.path.name, made, kind, names, top), kind, fit, phases
    )
    classifier.answer(raw)
    return classifier


def _timed(phases: dict[str, Usage], name: str, body: Callable[[], T]) -> T:
    before = account()
    result = body()
    phases[name] = Usage(**used(before, account()))
    return result


def _range(
    file: ModelFile, spec: TensorSpec, told: tuple[float, float] | None, card: Card | None
) -> tuple[float, float]:
    """What 0 and 255 become."""
    if told is not None:
        if not floating(spec.dtype):
            raise ProfilerError(
                f"{file.path.name} takes pixels as {spec.dtype}, which has no range to choose", "leave --pixels out"
            )
        if not -math.inf < told[0] < told[1] < math.inf:
            raise ProfilerError(f"pixels cannot range from {told[0]:g} to {told[1]:g}", "name the lower number first")
        return told
    return card.pixels if card and card.pixels else WHOLE


def _first(file: ModelFile, runtime: Runtime, batch: NDArray[Any]) -> Any:
    """What engines raise differs by engine, so all of it is caught."""
    try:
        return runtime.infer(batch)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ProfilerError(
            f"{file.path} cannot be run by {file.runtime} ({reason})", "use a whole model file of this runtime"
        ) from error


def _outputs(file: ModelFile, raw: Any) -> int:
    """How many numbers the network gives for an image.

    Raises:
        ProfilerError: They are not in one row, as a classifier's are.
    """
    shape = tuple(raw.shape)
    if not raw.size or raw.size != max(shape, default=1):
        raise ProfilerError(
            f"{file.path.name} gives {list(shape)}, not a number for each class", "use a classifier of whole images"
        )
    return int(raw.size)
