"""The layers' calls of a Keras model in the order of an inference, with the tensors between them.

From the config alone; nothing of it is run. A model within a model is taken apart, twice if it is called twice.
"""

import heapq
from collections.abc import Sequence
from typing import Any, NamedTuple

from profiler.errors import ProfilerError
from profiler.modelfile.keras import config as configs
from profiler.modelfile.keras import layer_kinds, macs, shapes
from profiler.modelfile.keras.config import REMEDY, Functional, Reference
from profiler.modelfile.keras.macs import Layer
from profiler.modelfile.keras.shapes import Config, Shape

MOST = 200_000
"""Calls and what they take and give, all counted: models that call each other over many levels could ask for any
number."""


class KerasTensor(NamedTuple):
    """What a call gives, or an input of the model.

    Attributes:
        shape: The batch is 1 where it is open; None where it is not known.
        dtype: None where it is not known.
    """

    shape: Shape | None
    dtype: str | None


class KerasPort(NamedTuple):
    """An input or output of the model: its layer's name, and the number of its tensor."""

    name: str
    tensor: int


class Call(NamedTuple):
    """One call of a layer: the tensors that it takes and gives, by their numbers."""

    layer: Layer
    taken: tuple[int, ...]
    given: tuple[int, ...]


class KerasGraph:
    """A model taken apart.

    Attributes:
        model: As a layer; its store and path are those of the whole file.
        open: Tensors of inputs whose batch is open.
    """

    def __init__(self, config: Any) -> None:
        """Takes the model of a config apart.

        Raises:
            ProfilerError: It is no model's config, its graph has loops or ends, or is larger than is sane.
        """
        self.tensors: list[KerasTensor] = []
        self.calls: list[Call] = []
        self.inputs: list[KerasPort] = []
        self.outputs: list[KerasPort] = []
        self.open: set[int] = set()
        self._left = MOST
        self._plans: dict[int, Functional] = {}
        try:
            self.model = configs.layer(config, ())._replace(path=())
            self._whole(config)
        except RecursionError as error:
            raise ProfilerError("the model's config is nested too deep", REMEDY) from error
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ProfilerError("the model's config is not one of a Keras model", REMEDY) from error

    def _whole(self, config: Config) -> None:
        if configs.has_layers(self.model):
            self.outputs = self._expand(config, self.model, None)
        else:
            self.calls.append(Call(self.model._replace(custom=True), (), ()))

    def _spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise ProfilerError("the model has more calls of layers than is sane", "inspect a smaller model")

    def _expand(self, entry: Config, model: Layer, taken: Sequence[int] | None) -> list[KerasPort]:
        """Calls of a model's layers; of the whole model, whose inputs are made, if nothing is `taken`."""
        if "input_layers" not in model.config:
            return self._sequence(entry, model, taken)
        if id(model.config) not in self._plans:
            self._plans[id(model.config)] = Functional(model)
        return self._functional(self._plans[id(model.config)], taken)

    def _sequence(self, entry: Config, model: Layer, taken: Sequence[int] | None) -> list[KerasPort]:
        entries = [configs.checked(each) for each in model.config["layers"]]
        self._spend(1 + len(entries))
        first = entries[0] if entries and entries[0]["class_name"] == "InputLayer" else None
        chain = entries[1:] if first else entries
        if taken is None:
            port = self._input(*configs.sequence_input(entry, first, chain))
        else:
            (source,) = taken
            port = KerasPort(model.name, source)
        following = [shapes.shape(configs.built(each)) for each in chain[1:]] + [None]
        for part, layer, shape in zip(chain, configs.children(model, chain), following, strict=True):
            (port,) = self._call(part, layer, [port.tensor], [Reference(layer.name, 0, 0, shape)])
        return [port]

    def _functional(self, plan: Functional, taken: Sequence[int] | None) -> list[KerasPort]:
        """Makes the inputs, then all calls, the first in the config first among those that can be made."""
        made: dict[tuple[str, int], list[int]] = {}
        entries = {layer.name: entry for layer, entry in zip(plan.layers, plan.entries, strict=True)}
        for position, reference in enumerate(plan.inputs):
            if taken is None:
                config = entries[reference.layer]["config"]
                shape = shapes.shape(config.get("batch_shape") or config.get("batch_input_shape"))
                dtype = macs.compute_dtype(config.get("dtype"))
                made[reference.layer, 0] = [self._input(reference.layer, shape, dtype).tensor]
            else:
                made[reference.layer, 0] = [taken[position]]
        for index, number in self._order(plan, set(made)):
            layer = plan.layers[index]
            sources = [_found(made, each) for each in plan.calls[index][number]]
            asked = plan.stated.get((layer.name, number), {})
            count = 1 + max(asked, default=0)
            self._spend(count)
            stated = [asked.get(output, Reference(layer.name, number, output)) for output in range(count)]
            ports = self._call(plan.entries[index], layer, sources, stated)
            made[layer.name, number] = [port.tensor for port in ports]
        return [KerasPort(each.layer, _found(made, each)) for each in plan.outputs]

    def _order(self, plan: Functional, there: set[tuple[str, int]]) -> list[tuple[int, int]]:
        """Calls, as layer and number, each behind those whose outputs it takes."""
        waiting: dict[tuple[str, int], list[tuple[int, int]]] = {}
        missing: dict[tuple[int, int], int] = {}
        for index, calls in enumerate(plan.calls):
            for number, call in enumerate(calls):
                self._spend(1 + len(call))
                sources = {(each.layer, each.call) for each in call} - there
                missing[index, number] = len(sources)
                for source in sources:
                    waiting.setdefault(source, []).append((index, number))
        ready = [each for each, count in missing.items() if not count]
        heapq.heapify(ready)
        order = []
        while ready:
            order.append(heapq.heappop(ready))
            index, number = order[-1]
            for follower in waiting.get((plan.layers[index].name, number), ()):
                missing[follower] -= 1
                if not missing[follower]:
                    heapq.heappush(ready, follower)
        return order

    def _input(self, name: str, shape: Shape | None, dtype: str | None) -> KerasPort:
        number = len(self.tensors)
        if not shape or shape[0] is None:
            self.open.add(number)
        self.tensors.append(KerasTensor(_batched(shape), dtype))
        self.inputs.append(KerasPort(name, number))
        return self.inputs[-1]

    def _call(self, entry: Config, layer: Layer, taken: Sequence[int], stated: Sequence[Reference]) -> list[KerasPort]:
        """One call of a layer, or of all layers of the model that it is.

        Args:
            stated: Its outputs as the rest of the config knows them, in order.
        """
        if configs.is_model(layer):
            return self._expand(entry, layer, taken)
        passes = layer.kind in layer_kinds.PASSED and not layer.custom and len(taken) == 1
        given = tuple(taken) if passes else tuple(self._output(layer, taken, reference) for reference in stated)
        self.calls.append(Call(layer, tuple(taken), given))
        return [KerasPort(layer.name, number) for number in given]

    def _output(self, layer: Layer, taken: Sequence[int], stated: Reference) -> int:
        """What the config states of an output goes before what follows from the layer's kind, which fills the rest."""
        inputs = [self.tensors[number] for number in taken]
        inferred = None
        if stated.output == 0 and not layer.custom:
            inferred = shapes.result(layer.kind, layer.config, [each.shape for each in inputs])
        dtype = stated.dtype or macs.compute_dtype(layer.config.get("dtype"))
        shape = _filled(layer.kind, stated.shape, inferred, inputs)
        self.tensors.append(KerasTensor(shape, dtype or (inputs[0].dtype if inputs else None)))
        return len(self.tensors) - 1


def _found(made: dict[tuple[str, int], list[int]], reference: Reference) -> int:
    outputs = made.get((reference.layer, reference.call), [])
    if reference.output >= len(outputs):
        raise ProfilerError(f"the model's graph does not lead to the layer {reference.layer[:80]!r}", REMEDY)
    return outputs[reference.output]


def _batched(shape: Shape | None) -> Shape | None:
    """The shape with a batch of one where that is open."""
    return (1, *shape[1:]) if shape and shape[0] is None else shape


def _filled(kind: str, stated: Shape | None, inferred: Shape | None, inputs: Sequence[KerasTensor]) -> Shape | None:
    """A stated shape whose open axes are taken from the inferred one; a batch still open is 1 where the inputs' is.

    What only orders numbers anew keeps their count, and may move some of them into the first axis.
    """
    if stated is None:
        return inferred
    if inferred is not None and len(inferred) == len(stated):
        stated = tuple(there if own is None else own for own, there in zip(stated, inferred, strict=True))
    if kind in ("Reshape", "Transpose") and len(inputs) == 1 and stated and stated[0] is None:
        numbers, rest = shapes.elements(inputs[0].shape), shapes.elements(stated[1:])
        return (numbers // rest if numbers and rest else None, *stated[1:])
    batches = {each.shape[0] for each in inputs if each.shape}
    return _batched(stated) if batches <= {1} else stated
