"""A Keras model's config, in the forms that Keras 2 and 3 write: its layers, and which outputs they refer to."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from profiler.errors import ProfilerError
from profiler.modelfile.keras import macs, shapes
from profiler.modelfile.keras.macs import Layer
from profiler.modelfile.keras.shapes import Config, Shape

REMEDY = "save the model again, with Keras 2.13 or later"

_FUNCTIONAL = ("Functional", "Model")


class Reference(NamedTuple):
    """An output as a config names it: layer, number of the call, number among its outputs; what it is, if said."""

    layer: str
    call: int
    output: int
    shape: Shape | None = None
    dtype: str | None = None


class Functional:
    """The config of a Functional model.

    Attributes:
        entries: Of its layers.
        layers: The same, in the same order.
        calls: For each layer, for each of its calls, what it takes.
        inputs: Its input layers.
        outputs: What it gives.
        stated: What anything refers to, by layer and call, then by number of the output.
    """

    def __init__(self, model: Layer) -> None:
        self.entries: list[Config] = [checked(entry) for entry in model.config["layers"]]
        self.layers = children(model, self.entries)
        self._index = {layer.name: index for index, layer in enumerate(self.layers)}
        named = [[list(self._taken(node)) for node in entry.get("inbound_nodes") or []] for entry in self.entries]
        self.inputs = list(self._ends(model.config["input_layers"]))
        outputs = list(self._ends(model.config["output_layers"]))
        last: dict[str, int] = {}
        for each in _flat(named):
            last[each.layer] = max(last.get(each.layer, 0), each.call)
        self.calls = [[[self._aligned(each, last) for each in call] for call in calls] for calls in named]
        self.outputs = [self._aligned(each, self._counted(outputs)) for each in outputs]
        self.stated: dict[tuple[str, int], dict[int, Reference]] = {}
        for each in (*_flat(self.calls), *self.outputs):
            known = self.stated.setdefault((each.layer, each.call), {})
            if each.output not in known or known[each.output].shape is None:
                known[each.output] = each

    def _counted(self, outputs: list[Reference]) -> dict[str, int]:
        """Last calls by the count of `output_layers`, where a Functional's begin at 1."""
        kinds = {each.layer: self.layers[self._index[each.layer]].kind for each in outputs}
        return {each.layer: each.call + (1 << 31) * (kinds[each.layer] in _FUNCTIONAL) for each in outputs}

    def _aligned(self, reference: Reference, last: dict[str, int]) -> Reference:
        """The reference with calls of a model numbered from 0.

        A model is called once where it is made. Keras counts that call too in some places: 2 everywhere, 3 in
        `output_layers` of a Functional within a Functional (keras/src/models/functional.py, `get_config`).
        """
        index = self._index[reference.layer]
        if not is_model(self.layers[index]) or not reference.call:
            return reference
        made = len(self.entries[index].get("inbound_nodes") or [])
        return reference._replace(call=reference.call - 1) if last[reference.layer] >= made else reference

    def _taken(self, node: Any) -> Iterator[Reference]:
        """What a call takes, in its order: in objects that say what they are, or in lists as Keras 2 has them."""
        if isinstance(node, dict) and "args" in node:
            return self._tensors([node["args"], node.get("kwargs")])
        return self._ends(node)

    def _tensors(self, value: Any) -> Iterator[Reference]:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            config = value["config"]
            shape, dtype = shapes.shape(config.get("shape")), config.get("dtype")
            layer, call, output = config["keras_history"]
            yield self._reference(layer, call, output, shape, dtype if isinstance(dtype, str) else None)
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from self._tensors(inner)

    def _ends(self, value: Any, named: bool = False) -> Iterator[Reference]:
        """References that are lists of layer, call and output, with arguments by name behind.

        Args:
            named: These are such arguments, where a list may be a plain value too.
        """
        if isinstance(value, dict):
            for inner in value.values():
                yield from self._ends(inner, named)
        elif isinstance(value, list):
            if _is_reference(value) and (value[0] in self._index or not named):
                yield self._reference(*value[:3])
                yield from self._ends(value[3:], named=True)
            else:
                for inner in value:
                    yield from self._ends(inner, named)

    def _reference(
        self, layer: Any, call: Any, output: Any, shape: Shape | None = None, dtype: str | None = None
    ) -> Reference:
        if layer not in self._index:
            raise ProfilerError(f"the model's graph refers to a layer {str(layer)[:80]!r} that it lacks", REMEDY)
        return Reference(layer, shapes.size(call), shapes.size(output), shape, dtype)


def _is_reference(value: list[Any]) -> bool:
    return len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int)


def _flat(calls: list[list[list[Reference]]]) -> Iterator[Reference]:
    return (each for layer in calls for call in layer for each in call)


def is_model(layer: Layer) -> bool:
    """Whether a layer is a Functional or Sequential model of its own layers."""
    return not layer.custom and _has_graph(layer)


def has_layers(layer: Layer) -> bool:
    """Whether a whole model's layers are in its config, even where its class is custom."""
    return _has_graph(layer) or "input_layers" in layer.config


def _has_graph(layer: Layer) -> bool:
    needed = "layers" if layer.kind == "Sequential" else "input_layers"
    return layer.kind in (*_FUNCTIONAL, "Sequential") and needed in layer.config


def children(model: Layer, entries: Sequence[Config]) -> list[Layer]:
    """A model's layers, and under which names the weights file has their variables.

    That is the class's name in small letters, counted where it comes again, below the model's own
    (keras/src/saving/saving_lib.py, `_save_container_state`); operations between layers are not counted.
    """
    used: Counter[str] = Counter()
    made = []
    for entry in entries:
        found = layer(entry, model.path)
        if not f"{entry.get('module') or ''}.".startswith(("keras.src.ops.", "keras.ops.")):
            plain = snake(found.kind.rpartition(">")[2])
            counted = f"{plain}_{used[plain]}" if used[plain] else plain
            used[plain] += 1
            found = found._replace(store=f"{model.store}layers/{counted}/")
        made.append(found)
    return made


def snake(name: str) -> str:
    """`Conv2DTranspose` as `conv2d_transpose`: the rule of keras/src/utils/naming.py, `to_snake_case`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def layer(entry: Any, path: tuple[str, ...]) -> Layer:
    """The layer of an entry, in the model of that path.

    Raises:
        TypeError: It is no entry of a layer.
    """
    entry = checked(entry)
    name = entry.get("name") or entry["config"].get("name") or ""
    if not isinstance(name, str):
        raise TypeError(name)
    return Layer(entry["class_name"], name, (*path, name), "", entry["config"], macs.is_custom(entry))


def checked(entry: Any) -> Config:
    """An entry: an object with a class and its config.

    Raises:
        TypeError: It is none. (The oldest Sequential configs are plain lists; they are not read.)
    """
    if not isinstance(entry["class_name"], str) or not isinstance(entry["config"], dict):
        raise TypeError(entry)
    config: Config = entry
    return config


def sequence_input(entry: Config, first: Config | None, chain: list[Config]) -> tuple[str, Shape | None, str | None]:
    """Name, shape and data type of a Sequential model's input, from wherever its Keras put them.

    Args:
        entry: Of the model.
        first: Of its input layer.
        chain: Of its other layers.
    """
    start = (first or (chain[0] if chain else entry))["config"]
    given = (
        start.get("batch_shape")
        or start.get("batch_input_shape")
        or entry["config"].get("build_input_shape")
        or built(entry)
    )
    name = start.get("name", "") if first else f"{start.get('name', '')}_input"
    return str(name), shapes.shape(given), macs.compute_dtype(start.get("dtype"))


def built(entry: Config) -> Any:
    """The shape of the input that a layer was built for, as the config has it; None where it does not say."""
    return (entry.get("build_config") or {}).get("input_shape")
