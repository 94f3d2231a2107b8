"""Networks with known facts, for made studies: few layers, each made to fit or to spill a cache of a Pi 5."""

from collections.abc import Mapping

import numpy as np

from profiler.records import (
    Answers,
    Check,
    Form,
    Network,
    Operator,
    Port,
    Precision,
    Resident,
    Share,
    Signature,
    Taken,
)

DTYPES = {"fp32": "float32", "fp16": "float16", "dynamic": "int8", "int8": "int8"}
"""Of the constants, by precision; activations are int8 in an int8 network and float32 in any other."""
LAYERS = (
    ("CONV_2D", "stem", 67_500, 864, 180_000, 4_860_000),
    ("CONV_2D", "expand", 90_000, 1_536, 540_000, 8_640_000),
    ("DEPTHWISE_CONV_2D", "block", 540_000, 864, 135_000, 1_215_000),
    ("CONV_2D", "top", 8_000, 409_600, 32_000, 10_240_000),
    ("MEAN", "pool", 32_000, 2, 1_280, 0),
    ("FULLY_CONNECTED", "logit", 1_280, 1_280, 1, 1_280),
)
"""Kind, output, elements of input, of constants and of output, multiply-accumulates. In fp32 `expand` and `block` spill
a Pi 5's L3, `stem` and `top` its L2, `pool` its L1D, and `logit` fits; in int8 `expand` and `block` spill the L2,
`stem` and `top` the L1D, and the others fit."""
KINDS = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "MEAN": "GlobalAveragePooling2D"}
"""As Keras spells them; a kind that is missing is `Dense`."""


def made_operator(**fields: object) -> Operator:
    """A convolution without bytes or work, but for `fields`."""
    own = {"name": "CONV_2D", "output": "", "activations": "int8", "weights": "int8", "macs": 0}
    bytes_of = {"input_bytes": 0, "weight_bytes": 0, "output_bytes": 0}
    return Operator(**own | bytes_of | fields)  # type: ignore[arg-type]


def made_operators(precision: Precision = "fp32", keras: bool = False) -> tuple[Operator, ...]:
    """The operators of `LAYERS`, in the sizes of a precision."""
    constant = np.dtype(DTYPES[precision]).itemsize
    activations = "int8" if precision == "int8" else "float32"
    active = np.dtype(activations).itemsize
    return tuple(
        Operator(
            name=KINDS.get(name, "Dense") if keras else name,
            output=output,
            activations=activations,
            weights=DTYPES[precision],
            input_bytes=taken * active,
            weight_bytes=constants * constant,
            output_bytes=given * active,
            macs=macs,
        )
        for name, output, taken, constants, given, macs in LAYERS
    )


def made_network(precision: Precision = "fp32", optimiser_state: bool = False, **fields: object) -> Network:
    """A network whose file holds the constants of `LAYERS`, its graph, and as a .keras file a container.

    Args:
        optimiser_state: Two numbers more for every constant, as Adam keeps them.
        fields: In place of its own; `format` is `tflite` unless given. Shares add up to `size_bytes` unless given.
    """
    keras = fields.get("format", "tflite") != "tflite"
    operators = made_operators(precision, keras)
    weights = sum(operator.weight_bytes for operator in operators)
    shares = (
        Share(kind="weights", what=DTYPES[precision], size_bytes=weights),
        *([Share(kind="optimiser", what="float32", size_bytes=2 * weights)] if optimiser_state else []),
        Share(kind="graph", what="operators and tensors", size_bytes=61_000),
        Share(kind="metadata", what="versions", size_bytes=250),
        *([Share(kind="container", what="zip and HDF5", size_bytes=9_000)] if keras else []),
        Share(kind="padding", what="between buffers", size_bytes=1_900),
    )
    arena = max((operator.input_bytes or 0) + (operator.output_bytes or 0) for operator in operators)
    port = Port(name="image", shape=(-1, 150, 150, 3), dtype="uint8")
    logit = Port(name="dog", shape=(-1, 1), dtype="float32")
    own: dict[str, object] = {
        "format": "tflite",
        "size_bytes": sum(share.size_bytes for share in shares),
        "shares": shares,
        "signatures": (Signature(key="" if keras else "serving_default", inputs=(port,), outputs=(logit,)),),
        "parameters": sum(constants for _, _, _, constants, _, _ in LAYERS),
        "weights_bytes": weights,
        "operators": operators,
        "arena_bytes": arena,
        "arena_how": "the largest sum of tensors alive at one time" if keras else "planned as LiteRT plans it",
        "least_bytes": arena,
    }
    return Network(**own | fields)  # type: ignore[arg-type]


def made_taken(lacking: Mapping[str, int] | None = None) -> tuple[Taken, ...]:
    """The kinds of `LAYERS`; the delegate took all operators but so many of a kind as `lacking` says."""
    kinds = [name for name, *_ in LAYERS]
    return tuple(
        Taken(name=name, taken=kinds.count(name) - (lacking or {}).get(name, 0), total=kinds.count(name))
        for name in dict.fromkeys(kinds)
    )


def made_resident(**fields: int | None) -> Resident:
    """Memory around a load: constants are packed into 2 MiB, and 1.5 MiB of the file are mapped."""
    return Resident(**{"load_bytes": 2 * 2**20, "first_bytes": 3 * 2**20, "file_bytes": 3 * 2**19} | fields)  # type: ignore[arg-type]


def made_form(runtime: str = "litert", precision: Precision = "fp32", **fields: object) -> Form:
    """A form of the family `lab`, without the optimiser's state."""
    own: dict[str, object] = {"family": "lab", "weights": "same", "optimiser_state": False, "alpha": 1.0}
    return Form(runtime=runtime, precision=precision, **own | fields)  # type: ignore[arg-type]


def made_check(label: str, sha256: str, agree: int = 250, **fields: object) -> Check:
    """A check on 250 photos of which the model and the reference, `keras`, differ on all but `agree`."""
    answers = Answers(photos="as they are", total=250, correct=248, agree=agree, drift=0.5, mean_drift=0.05)
    own: dict[str, object] = {
        "file": f"{label}.tflite",
        "engine": "ai-edge-litert 2.3.0",
        "reference": "keras",
        "bound": 0.98,
        "answers": (answers,),
    }
    return Check(label=label, sha256=sha256, **own | fields)  # type: ignore[arg-type]
