"""Networks: what a model's file holds, what its inference touches, how it does in its engine and on photos."""

from typing import Literal

from profiler.records.base import Record
from profiler.records.machines import Target

ShareKind = Literal["weights", "optimiser", "graph", "metadata", "container", "padding"]
Precision = Literal["fp32", "fp16", "dynamic", "int8"]

AGREE = 0.98
"""Least share of images on which a form agrees with its reference, if it is to count as the same network: of 250 it may
differ on 5. Post-training quantisation to 8 bits, done well, costs convolutional networks less than 2 % of accuracy
(R. Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference: A whitepaper", arXiv:1806.08342,
2018): a form that differs on more was converted badly, or is no form of this network."""


class Share(Record, frozen=True, kw_only=True):
    """A part of a model file. The shares of a file add up to its size exactly.

    Attributes:
        kind: `weights` are the constants that an inference reads; `optimiser` is state that only training touches;
            `graph` is operators, tensors and their names; `metadata` what no engine needs (versions, dates, labels);
            `container` the structure of the archive that holds the rest; `padding` bytes that mean nothing.
        what: The data type of weights and state (`int8`), or a word where a kind has several parts.
    """

    kind: ShareKind
    what: str
    size_bytes: int


class Port(Record, frozen=True, kw_only=True):
    """An input or output of a signature.

    Attributes:
        shape: -1 for a size that is open.
        scales: Real value of one step, one for the tensor or one a channel; empty where it is not quantised.
        zero_points: Quantised values of the real 0, as many as there are scales.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()


class Signature(Record, frozen=True, kw_only=True):
    """A way to ask the network.

    Attributes:
        key: `serving_default`; empty where the file names none.
    """

    key: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class Operator(Record, frozen=True, kw_only=True):
    """One operator of the network, in the order of execution; bytes are those of a batch of one.

    Attributes:
        name: The kind, as its format spells it (`CONV_2D`, `Conv2D`); of a custom operator, its own name.
        output: Name of its first output.
        activations: Data type of its first input that is no constant; empty where it has none.
        weights: Data type of its largest constant; None where it has none.
        input_bytes: Of its inputs that are no constants; None where their shapes are not known.
        weight_bytes: Of its constants.
        output_bytes: Of its outputs; None as above.
        macs: Multiply-accumulates; 0 for an operator that has none, None where they are not known.
        custom: Not one of the format's own operators.
    """

    name: str
    output: str
    activations: str
    weights: str | None
    input_bytes: int | None
    weight_bytes: int
    output_bytes: int | None
    macs: int | None
    custom: bool = False

    @property
    def working_set_bytes(self) -> int | None:
        """Bytes that the operator touches: inputs, weights and outputs."""
        if self.input_bytes is None or self.output_bytes is None:
            return None
        return self.input_bytes + self.weight_bytes + self.output_bytes


class Network(Record, frozen=True, kw_only=True):
    """What a model file says of the network in it, read without running any of it.

    Attributes:
        format: `tflite`, `keras` (the zip archive) or `h5`.
        size_bytes: Of the file.
        shares: Where its bytes go; they add up to `size_bytes`.
        parameters: Numbers that training determines or may, as Keras counts them; of a .tflite file, elements of the
            constants that operators compute with.
        weights_bytes: Of all constants that operators read, as the file holds them.
        unpacked_bytes: The same as operators read them in an inference, where the engine unpacks some once and keeps
            the copies (float16 as float32); None where it unpacks none.
        operators: In the order of execution.
        arena_bytes: Memory for activations as `arena_how` says; None where it is not known.
        arena_how: How that was found.
        least_bytes: The most bytes of activations that are needed at one time, whoever plans them; None as above.
        notes: What the reader must know of these figures, in sentences.
    """

    format: Literal["tflite", "keras", "h5"]
    size_bytes: int
    shares: tuple[Share, ...]
    signatures: tuple[Signature, ...]
    parameters: int
    weights_bytes: int
    operators: tuple[Operator, ...]
    arena_bytes: int | None
    arena_how: str
    least_bytes: int | None
    unpacked_bytes: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def macs(self) -> int:
        """Multiply-accumulates of an inference, those not known left out."""
        return sum(operator.macs or 0 for operator in self.operators)

    @property
    def read_bytes(self) -> int:
        """Of the weights that an inference reads."""
        return self.weights_bytes if self.unpacked_bytes is None else self.unpacked_bytes

    @property
    def working_set_bytes(self) -> int | None:
        """Bytes that an inference touches: all weights, and the activations' memory, which is used again and again."""
        return None if self.arena_bytes is None else self.read_bytes + self.arena_bytes

    @property
    def largest(self) -> Operator | None:
        """The operator with the largest working set; None where none is known."""
        known = [operator for operator in self.operators if operator.working_set_bytes is not None]
        return max(known, key=lambda operator: operator.working_set_bytes or 0, default=None)


class Taken(Record, frozen=True, kw_only=True):
    """Operators of one kind: how many the delegate took, of how many there are."""

    name: str
    taken: int
    total: int


class Resident(Record, frozen=True, kw_only=True):
    """Memory of a process around a model's load, from /proc/self/smaps_rollup and /proc/self/smaps.

    Attributes:
        load_bytes: By how much its anonymous memory grew from the engine's import to the model's load: weights that
            the engine copied or packed, its arena and its tables.
        first_bytes: The same of the first inference, its image left out; None where none was made.
        file_bytes: Of the model file's own pages that are mapped and resident after that.
    """

    load_bytes: int
    first_bytes: int | None
    file_bytes: int


class Form(Record, frozen=True, kw_only=True):
    """What a model is within its family: two forms that differ in one of the last four fields differ by that alone.

    Attributes:
        family: `lab`, `width`, or another folder's name.
        weights: `same` for all forms of the family, or `random`.
        optimiser_state: Saved as after training, with the optimiser's state.
        alpha: Width of the network.
    """

    family: str
    weights: Literal["same", "random"]
    runtime: str
    precision: Precision
    optimiser_state: bool
    alpha: float


class Answers(Record, frozen=True, kw_only=True):
    """How a model answered labelled photos beside the reference, the first model of the check.

    Attributes:
        photos: `as they are` or `degraded`.
        correct: Photos with their own label; None where the network's outputs are not the photos' classes.
        agree: Photos with the reference's label.
        drift: Largest difference of a logit from the reference's.
        mean_drift: Mean of the differences' sizes.
    """

    photos: str
    total: int
    correct: int | None
    agree: int
    drift: float
    mean_drift: float


class Check(Record, frozen=True, kw_only=True):
    """What `profiler models check` found of one model file.

    Attributes:
        sha256: Of the model file.
        engine: Package and version that ran it.
        reference: Label of the model that it was compared with.
        bound: Least share of photos on which a form agrees with the reference, if it is to count as the same network.
    """

    label: str
    file: str
    sha256: str
    engine: str
    reference: str
    bound: float
    answers: tuple[Answers, ...]

    @property
    def disagrees(self) -> bool:
        """Whether the model agrees with the reference on fewer photos than the bound, on any set of them."""
        return any(answer.agree < self.bound * answer.total for answer in self.answers)


class MissCurve(Record, frozen=True, kw_only=True):
    """Misses of an inference as a function of cache size, from the real inference's own addresses.

    For an LRU cache without sets (fully associative) that instruction fetches, loads and stores share. By the stack
    distances of a sample of the lines: R. L. Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger, "Evaluation techniques
    for storage hierarchies", IBM Systems Journal 9 (1970); C. A. Waldspurger, N. Park, A. Garthwaite, I. Ahmad,
    "Efficient MRC construction with SHARDS", FAST 2015.

    Attributes:
        file: The model file's name.
        file_bytes: Its size.
        source: Who simulated, as it names itself.
        arch: The instruction set that ran.
        guest: The virtual board whose programs ran; None where this machine's own did.
        engine: Package and version.
        images: Inferences that the figures are means of.
        one_in: One of so many lines is in each sample.
        seeds: Of the draws of lines, one a process. Every process has as many samples; their rows come in this order.
        sizes_bytes: Of the caches, ascending.
        steady: Misses an inference, estimated from each sample, a row a sample and a column a size, with the caches
            warm from the inference before.
        cold: The same where every inference begins with empty caches.
        touched: Distinct lines that an inference touches, by sample: what no cache can spare a cold inference.
        target: The machine whose caches were simulated in the same pass, without a prefetcher.
        full: What that full simulation counted for an inference, by event; the mean of the processes.
    """

    file: str
    file_bytes: int
    sha256: str
    runtime: str
    source: str
    arch: str
    guest: str | None
    engine: str
    threads: int
    images: int
    line_bytes: int
    one_in: int
    seeds: tuple[int, ...]
    sizes_bytes: tuple[int, ...]
    steady: tuple[tuple[float, ...], ...]
    cold: tuple[tuple[float, ...], ...]
    touched: tuple[float, ...]
    target: Target
    full: dict[str, float]
