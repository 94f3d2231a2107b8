"""Keras 3 on TensorFlow, asked by `predict` (as the lab's students do), by a direct call, or as a traced graph."""

from typing import Any

from profiler.errors import ProfilerError
from profiler.runtimes import Tensor, one_image, one_output


def open(threads: int | None, call: str) -> "Keras":
    """Imports TensorFlow and Keras."""
    return Keras(threads, call)


def tensorflow() -> Any:
    """The TensorFlow package, imported now.

    Raises:
        ProfilerError: It is not installed.
    """
    try:
        import tensorflow as tf
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise ProfilerError("TensorFlow is not installed", "pip install 'tensorflow>=2.18'") from None
    return tf


class Keras:
    """A Keras model; all three ways of asking infer a batch of one."""

    def __init__(self, threads: int | None, call: str) -> None:
        tf = tensorflow()
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        self._tf, self._threads, self._call = tf, threads, call

    def load(self, path: str) -> tuple[Tensor, Tensor]:
        inputs, outputs = self.read(path)
        image, output = one_image(inputs, path), one_output(outputs, path)
        self._ask = self._asker()
        return image, output

    def infer(self, batch: Any) -> Any:
        return self._ask(batch)

    def read(self, path: str) -> tuple[list[Tensor], list[Tensor]]:
        # What Keras raises for a file that is none of its own differs by format and version, so all of it is caught.
        try:
            self._model = self._read(path)
            inputs, outputs = self._model.inputs, self._model.outputs
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ProfilerError(
                f"{path} cannot be loaded by Keras {self._tf.keras.__version__} ({reason})",
                "use a whole .keras or .h5 file without custom layers",
            ) from error
        return [_tensor(tensor) for tensor in inputs], [_tensor(tensor) for tensor in outputs]

    def infer_any(self, batches: list[Any]) -> None:
        self._model(batches if len(batches) > 1 else batches[0], training=False)

    def engine(self) -> dict[str, object]:
        return {
            "package": "tensorflow",
            "version": f"{self._tf.__version__} (Keras {self._tf.keras.__version__})",
            "call": self._call,
            "threads": self._threads,
            "delegate": None,
            "delegated": None,
        }

    def _read(self, path: str) -> Any:
        """As anybody reads a model, with its training state; without, where that state is what cannot be read."""
        load_model = self._tf.keras.models.load_model
        try:
            return load_model(path)
        except (TypeError, ValueError):
            return load_model(path, compile=False)

    def _asker(self) -> Any:
        model, tf = self._model, self._tf
        if self._call == "predict":
            return lambda batch: model.predict(batch, verbose=0)
        if self._call == "call":
            return lambda batch: model(batch, training=False).numpy()
        graph = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
        return lambda batch: graph(tf.constant(batch)).numpy()


def _tensor(tensor: Any) -> Tensor:
    batch, *rest = tensor.shape
    shape = (batch or 1, *(-1 if size is None else size for size in rest))
    return Tensor(name=tensor.name, shape=shape, dtype=tensor.dtype, scale=None, zero_point=None)
