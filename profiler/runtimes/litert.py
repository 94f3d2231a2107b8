"""LiteRT through whichever package is there: ai-edge-litert, else tflite-runtime, else tf.lite."""

from importlib import import_module
from typing import Any

from profiler.errors import ProfilerError
from profiler.runtimes import Tensor, one_image, one_output

_PACKAGES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow.lite",
}


def open(threads: int | None, call: str) -> "LiteRT":  # noqa: ARG001 - the plug-in's one name
    """Imports the interpreter; `call` is Keras's and has no meaning here."""
    return LiteRT(threads)


class LiteRT:
    """A LiteRT interpreter, asked as its own examples ask it: set_tensor, invoke, get_tensor."""

    def __init__(self, threads: int | None) -> None:
        self._package, self._interpreter_class = _import()
        self._threads = threads

    def load(self, path: str) -> tuple[Tensor, Tensor]:
        inputs, outputs = self.read(path)
        image, output = one_image(inputs, path), one_output(outputs, path)
        self._input, self._output = self._inputs[0], self._outputs[0]
        return image, output

    def infer(self, batch: Any) -> Any:
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)

    def read(self, path: str) -> tuple[list[Tensor], list[Tensor]]:
        try:
            self._interpreter = self._interpreter_class(model_path=path, num_threads=self._threads)
            self._interpreter.allocate_tensors()
            inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ProfilerError(
                f"{path} cannot be loaded by {self._package} {self._version()} ({reason})",
                "use a whole .tflite file whose operators this version knows",
            ) from error
        self._inputs, self._outputs = ([detail["index"] for detail in details] for details in (inputs, outputs))
        return [_tensor(detail) for detail in inputs], [_tensor(detail) for detail in outputs]

    def infer_any(self, batches: list[Any]) -> None:
        for index, batch in zip(self._inputs, batches, strict=True):
            self._interpreter.set_tensor(index, batch)
        self._interpreter.invoke()

    def engine(self) -> dict[str, object]:
        # Imported when it is asked for: a counted process never is.
        from profiler.runtimes import litert_plan

        return {
            "package": self._package,
            "version": self._version(),
            "call": "invoke",
            "threads": self._threads,
            **litert_plan.told(self._interpreter),
        }

    def _version(self) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(self._package)
        except PackageNotFoundError:
            return "unknown"


def _import() -> tuple[str, Any]:
    for package, module in _PACKAGES.items():
        try:
            return package, import_module(module).Interpreter
        except ModuleNotFoundError as error:
            if error.name != module.partition(".")[0]:
                raise
    raise ProfilerError("LiteRT is not installed", "pip install ai-edge-litert")


def _tensor(detail: dict[str, Any]) -> Tensor:
    scales, zero_points = (detail["quantization_parameters"][key] for key in ("scales", "zero_points"))
    signature = detail.get("shape_signature", detail["shape"])
    # An open batch is 1 by LiteRT's own default; any other open dimension stays -1 and is refused as no fixed image.
    shape = [int(size) for size in detail["shape"]]
    shape[1:] = [int(size) for size in signature[1:]] if len(signature) else shape[1:]
    quantised = len(scales) == 1
    return Tensor(
        name=str(detail["name"]),
        shape=tuple(shape),
        dtype=detail["dtype"].__name__,
        scale=float(scales[0]) if quantised else None,
        zero_point=int(zero_points[0]) if quantised else None,
    )
