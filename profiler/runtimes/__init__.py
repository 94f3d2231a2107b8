"""Runtimes: what runs a neural network. Nothing here imports an engine; a plug-in does when it is opened.

These modules are imported inside the measured process, so they import little and hand over plain values.
"""

from importlib import import_module
from typing import Any, NamedTuple, Protocol

from profiler.errors import ProfilerError


class Tensor(NamedTuple):
    """An input or output; the fields of `records.TensorSpec`."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None


class Runtime(Protocol):
    """An engine, imported when the object is made."""

    def load(self, path: str) -> tuple[Tensor, Tensor]:
        """Reads the model file and makes it ready to infer; returns its one input and its one output.

        Raises:
            ProfilerError: Not a model of this runtime, or not one image in and one tensor out.
        """

    def infer(self, batch: Any) -> Any:
        """One inference of a batch of one, an array of the input's shape and dtype; returns the output array."""

    def read(self, path: str) -> tuple[list[Tensor], list[Tensor]]:
        """Like `load`, of any network; returns its inputs and outputs. Sizes that are open are -1, but a batch is 1.

        Raises:
            ProfilerError: Not a model of this runtime.
        """

    def infer_any(self, batches: list[Any]) -> None:
        """One inference of any network after `read`, an array for each input; what comes out is dropped."""

    def engine(self) -> dict[str, object]:
        """The fields of `records.Engine`, known after the first inference."""


RUNTIMES = {"litert": "profiler.runtimes.litert", "keras": "profiler.runtimes.keras"}
"""A runtime's name to its module, which has `open(threads, call)`."""

KERAS_CALLS = ("predict", "call", "graph")
SUFFIXES = {"litert": (".tflite",), "keras": (".keras", ".h5")}


def open_runtime(name: str, threads: int | None, call: str) -> Runtime:
    """Imports the engine of runtime `name`.

    Args:
        threads: For the engine's pools; None leaves the engine its own default.
        call: How Keras is asked: one of `KERAS_CALLS`.

    Raises:
        ProfilerError: The engine is not installed.
    """
    runtime: Runtime = import_module(RUNTIMES[name]).open(threads, call)
    return runtime


def one_image(tensors: list[Tensor], path: str) -> Tensor:
    """The only tensor of `tensors`, if it is one image: (1, height, width, 1 or 3).

    Raises:
        ProfilerError: It is something else.
    """
    if len(tensors) != 1:
        raise ProfilerError(f"{path} has {len(tensors)} inputs", "use a model whose one input is one image")
    shape = tensors[0].shape
    if len(shape) != 4 or shape[0] != 1 or shape[3] not in (1, 3) or min(shape) < 1:
        raise ProfilerError(
            f"{path} takes {list(shape)}, not one image",
            "use a model with a fixed input of [1, height, width, 3] or [1, height, width, 1]",
        )
    return tensors[0]


def one_output(tensors: list[Tensor], path: str) -> Tensor:
    """The only tensor of `tensors`.

    Raises:
        ProfilerError: There are more or none.
    """
    if len(tensors) != 1:
        raise ProfilerError(f"{path} has {len(tensors)} outputs", "use a model with one output, such as a classifier")
    return tensors[0]
