"""Which variables of a Keras file belong to which layer."""

from collections.abc import Callable, Hashable, Iterable

from profiler.modelfile.keras.hdf5 import Dataset
from profiler.modelfile.keras.macs import Layer


class Weights:
    """Variables that an inference reads, to be asked for by layer."""

    def __init__(
        self,
        datasets: Iterable[Dataset],
        keys: Callable[[Dataset], Iterable[Hashable]],
        key: Callable[[Layer], Hashable],
    ) -> None:
        """Sorts the variables.

        Args:
            keys: Under which a dataset may be asked for.
            key: Under which a layer asks.
        """
        self.datasets = tuple(datasets)
        self._key = key
        self._found: dict[Hashable, list[Dataset]] = {}
        for dataset in self.datasets:
            for each in set(keys(dataset)):
                self._found.setdefault(each, []).append(dataset)

    def of(self, layer: Layer) -> list[Dataset]:
        """The variables of a layer and of all layers in it; of a model that is opaque as a whole, all."""
        return self._found.get(self._key(layer), []) if layer.path else list(self.datasets)


def by_store(datasets: Iterable[Dataset]) -> Weights:
    """Of a .keras archive: the layer's variables are below its own group. Operations between layers have none."""

    def keys(dataset: Dataset) -> Iterable[Hashable]:
        parts = dataset.path.split("/")
        return ("/".join(parts[:count]) + "/" for count in range(1, len(parts)))

    return Weights(datasets, keys, lambda layer: layer.store)


def by_name(datasets: Iterable[Dataset]) -> Weights:
    """Of an .h5 file: the groups below `model_weights` have the names of the model's own layers.

    Those of a layer within a model within are in the group of the outermost, with the layer's name further on in the
    path, which the variable has from the layer (keras/src/legacy/saving/legacy_h5_format.py).
    """

    def keys(dataset: Dataset) -> Iterable[Hashable]:
        top, *inner = dataset.path.split("/")[1:]
        yield from ("/".join((top, *inner[:count])) for count in range(len(inner)))
        yield from ((top, name) for name in inner[:-1])

    def key(layer: Layer) -> Hashable:
        return layer.path[0] if len(layer.path) == 1 else (layer.path[0], layer.path[-1])

    return Weights(datasets, keys, key)
