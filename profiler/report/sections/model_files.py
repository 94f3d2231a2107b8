"""The section on the models' files: where their bytes go, and what an inference needs of memory."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis import notation
from profiler.records import Model, Network, ShareKind, Study
from profiler.report.cells import Column, absent, fact, name, share, tabulated
from profiler.report.model import Cell, Label, Section, Table

TITLE = "Where the bytes go"

_SPOKEN_OF = 6
"""Most models that have a sentence each; of more the tables tell."""

_OTHER_KINDS: tuple[ShareKind, ...] = ("optimiser", "graph", "metadata", "container", "padding")

_FILES = (
    "The parts of each file, in bytes and as shares of it; they add up to its size exactly. Weights are the constants "
    "that an inference reads, by data type. The graph is operators, tensors and their names; the container is the "
    "archive's own structure."
)
_NEEDS = (
    "For one image. MACs are multiply-accumulates. The arena is the memory for activations, at least as large as "
    "what is alive at one time. The working set is all weights and the arena, which is used again and again: what "
    "an inference touches of memory by its file alone; code, the engine's own data and packed copies come on top. The "
    "second line is how many times the file's size that is."
)
_OWN_ARENA = (
    " The engine's own arena holds what its own operators and the delegate's parts hand on, and scratch: within a part "
    "a delegate keeps its activations to itself."
)
_RESIDENT = (
    " Resident is what one uncounted load and first inference added to the process: the engine's own memory, with the "
    "weights that it copied or packed, and those pages of the file that were mapped and touched."
)


def networks(study: Study) -> Section | None:
    """Where the bytes of the files go, and what an inference needs; None where no file was read."""
    known = [(model, model.network) for model in study.models if model.network]
    if not known:
        return None
    return Section(
        TITLE,
        points=(*_sentences(known), *_notes(known)),
        tables=(_files(study.models), _needs(study.models)),
    )


def _sentences(known: Sequence[tuple[Model, Network]]) -> Iterator[str]:
    if len(known) <= _SPOKEN_OF:
        yield from (_told(model, network) for model, network in known)
        return
    sizes = _range([network.size_bytes for _, network in known])
    touched = [touches for _, network in known if (touches := network.working_set_bytes)]
    working = f", what an inference touches from {_range(touched)}" if touched else ""
    yield f"The files are from {sizes}{working}."
    yield from (_told(model, network) for model, network in known if _of_kind(network, "optimiser"))


def _notes(known: Sequence[tuple[Model, Network]]) -> Iterator[str]:
    """What must be known of the figures, with the models that it is said of where not of all."""
    said: dict[str, list[str]] = {}
    for model, network in known:
        for note in network.notes:
            said.setdefault(note, []).append(model.label)
    for note, labels in said.items():
        whose = "" if len(labels) == len(known) else f"{notation.listed(labels)}: "
        yield f"{whose}{notation.sentence(note)}"


def _told(model: Model, network: Network) -> str:
    """`keras is 26 MiB on disk, of which ...; its inference touches 8.6 MiB of weights and 5.5 MiB of activations.`"""
    state = _of_kind(network, "optimiser")
    never = f", of which {notation.size(state)} are the optimiser's state that inference never touches" if state else ""
    weights, arena = notation.size(network.read_bytes), network.arena_bytes
    if arena is None:
        activations = "; how much of activations is not known"
    else:
        times = notation.number((network.read_bytes + arena) / network.size_bytes)
        activations = f" and {notation.size(arena)} of activations, together {times} times the file"
    return (
        f"{model.label} is {notation.size(network.size_bytes)} on disk{never}; its inference touches {weights} of "
        "weights"
        f"{activations}."
    )


def _range(sizes: Sequence[int]) -> str:
    return f"{notation.size(min(sizes))} to {notation.size(max(sizes))}"


def _files(models: Sequence[Model]) -> Table:
    """A row a model: its size and the parts of it."""
    shares = [share for model in models if model.network for share in model.network.shares]
    dtypes = dict.fromkeys(share.what for share in shares if share.kind == "weights")
    columns: list[Column[Model]] = [Column("file", lambda model: fact(model.size_bytes, "bytes"))]
    columns += [_part(Label(("weights",), (dtype,)), "weights", dtype) for dtype in dtypes]
    for kind in _OTHER_KINDS:
        if any(share.kind == kind and share.size_bytes for share in shares):
            columns.append(_part(Label((kind,), ("state",) if kind == "optimiser" else ()), kind))
    return tabulated("files", "What the files hold", "model", _rows(models), columns, _FILES)


def _rows(models: Sequence[Model]) -> list[tuple[Label, Model]]:
    return [(name(model.label), model) for model in models]


def _part(head: Label, kind: ShareKind, what: str | None = None) -> Column[Model]:
    """How much of a file is of a kind; a part that it lacks is known to be nothing."""

    def entry(model: Model) -> Cell:
        if model.network is None:
            return absent(lack(model), "bytes")
        size, whole = _of_kind(model.network, kind, what), model.network.size_bytes
        return fact(size, "bytes", under=share(size, whole)) if size else Cell(0)

    return Column(head, entry)


def _of_kind(network: Network, kind: ShareKind, what: str | None = None) -> int:
    return sum(share.size_bytes for share in network.shares if share.kind == kind and what in (None, share.what))


def lack(model: Model) -> str:
    """Why nothing is known of a model's file."""
    return model.network_lack or "the file was not read"


def _needs(models: Sequence[Model]) -> Table:
    """A row a model: what its inference computes, and touches of memory."""

    def how(network: Network) -> str:
        return f"arena: {network.arena_how}"

    columns = [
        Column("parameters", _of_network(lambda _, network: fact(network.parameters))),
        Column("MACs", _of_network(_macs)),
        _size("weights", "read", lambda _, network: network.read_bytes, how),
        _size("activations", "arena", lambda _, network: network.arena_bytes, how, lambda _, network: [how(network)]),
        _size("activations", "at least", lambda _, network: network.least_bytes, how),
        _size("working", "set", lambda _, network: network.working_set_bytes, how),
    ]
    own = any(model.engine.arena_bytes is not None for model in models)
    if own:
        untold = "the engine does not tell"
        columns.append(_size("engine's", "own arena", lambda model, _: model.engine.arena_bytes, lambda _: untold))
    resident = any(model.resident for model in models)
    if resident:
        columns += [
            _size("resident", "engine", lambda model, _: _grown(model), _unseen, _loaded),
            _size("resident", "file", lambda model, _: model.resident.file_bytes if model.resident else None, _unseen),
        ]
    caption = f"{_NEEDS}{_OWN_ARENA if own else ''}{_RESIDENT if resident else ''}"
    return tabulated("needs", "What an inference needs", "model", _rows(models), columns, caption)


def _of_network(entry: Callable[[Model, Network], Cell]) -> Callable[[Model], Cell]:
    """What stands in a cell of a model whose file was read; else why it was not."""
    return lambda model: entry(model, model.network) if model.network else absent(lack(model))


def _size(
    head: str,
    under: str,
    size: Callable[[Model, Network], int | None],
    why: Callable[[Network], str],
    notes: Callable[[Model, Network], Sequence[str]] = lambda *_: (),
) -> Column[Model]:
    """Bytes of memory, and how many times the file's they are; `why` says it of one that is not known."""

    def entry(model: Model, network: Network) -> Cell:
        its = size(model, network)
        times = fact(None if its is None else its / network.size_bytes, "×")
        return fact(its, "bytes", why(network), times, notes(model, network))

    return Column(Label((head,), (under,)), _of_network(entry))


def _macs(_: Model, network: Network) -> Cell:
    unknown = sum(operator.macs is None for operator in network.operators)
    without = f"without those of {notation.counted(unknown, 'operator')}, which are not known"
    return fact(network.macs, notes=[without] if unknown else ())


def _unseen(_: Network) -> str:
    return "not seen around an uncounted load"


def _loaded(model: Model, _: Network) -> list[str]:
    """That the engine's memory was seen before it inferred."""
    first = model.resident and model.resident.first_bytes
    return ["after the load; no first inference was made"] if first is None else []


def _grown(model: Model) -> int | None:
    return model.resident.load_bytes + (model.resident.first_bytes or 0) if model.resident else None
