"""The section on the models' files: where their bytes go, and what an inference needs of memory."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis import notation
from profiler.records import Model, Network, ShareKind, Study
from profiler.report.model import Section, Table

TITLE = "Where the bytes go"

_SPOKEN_OF = 6
"""Most models that have a sentence each; of more the tables tell."""

_OTHER_KINDS: tuple[ShareKind, ...] = ("optimiser", "graph", "metadata", "container", "padding")
_KIND_WORDS = {"optimiser": "optimiser\nstate"}

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

_ARENA, _LEAST, _WORKING = "activations\narena", "activations\nat least", "working\nset"
_OWN, _ENGINE, _FILE = "engine's\nown arena", "resident\nengine", "resident\nfile"

Figure = Callable[[Model, Network], int | None]


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
    never = f", of which {_bytes(state)} are the optimiser's state that inference never touches" if state else ""
    weights, arena = _bytes(network.read_bytes), network.arena_bytes
    if arena is None:
        activations = "; how much of activations is not known"
    else:
        times = notation.plain((network.read_bytes + arena) / network.size_bytes, notation.NUMBER)
        activations = f" and {_bytes(arena)} of activations, together {times} times the file"
    return (
        f"{model.label} is {_bytes(network.size_bytes)} on disk{never}; its inference touches {weights} of weights"
        f"{activations}."
    )


def _range(sizes: Sequence[int]) -> str:
    return f"{_bytes(min(sizes))} to {_bytes(max(sizes))}"


def _files(models: Sequence[Model]) -> Table:
    """A row a model: its size and the parts of it."""
    dtypes = dict.fromkeys(
        share.what for model in models if model.network for share in model.network.shares if share.kind == "weights"
    )
    parts: list[tuple[str, ShareKind, str | None]] = [(f"weights\n{dtype}", "weights", dtype) for dtype in dtypes]
    parts += [
        (_KIND_WORDS.get(kind, kind), kind, None)
        for kind in _OTHER_KINDS
        if any(model.network and _of_kind(model.network, kind) for model in models)
    ]
    notes, rows = notation.Notes(), []
    for model in models:
        network = model.network
        if network is None:
            cells = [notation.ABSENT + notes.marks([lack(model)])] * len(parts)
        else:
            cells = [_part(_of_kind(network, kind, what), network.size_bytes) for _, kind, what in parts]
        rows.append((model.label, _bytes(model.size_bytes), *cells))
    heads = ("model", "file", *(head for head, _, _ in parts))
    return Table("files", "What the files hold", heads, tuple(rows), _FILES, notes.all())


def _of_kind(network: Network, kind: ShareKind, what: str | None = None) -> int:
    return sum(share.size_bytes for share in network.shares if share.kind == kind and what in (None, share.what))


def _part(size: int, whole: int) -> str:
    """A part that a file lacks is known to be nothing."""
    return f"{_bytes(size)}\n{notation.percent(size / whole)}" if size else "0"


def lack(model: Model) -> str:
    """Why nothing is known of a model's file."""
    return model.network_lack or "the file was not read"


def _needs(models: Sequence[Model]) -> Table:
    """A row a model: what its inference computes, and touches of memory."""
    sizes: list[tuple[str, Figure]] = [
        ("weights\nread", lambda _, network: network.read_bytes),
        (_ARENA, lambda _, network: network.arena_bytes),
        (_LEAST, lambda _, network: network.least_bytes),
        (_WORKING, lambda _, network: network.working_set_bytes),
    ]
    own = any(model.engine.arena_bytes is not None for model in models)
    if own:
        sizes.append((_OWN, lambda model, _: model.engine.arena_bytes))
    resident = any(model.resident for model in models)
    if resident:
        sizes += [
            (_ENGINE, lambda model, _: _grown(model)),
            (_FILE, lambda model, _: model.resident.file_bytes if model.resident else None),
        ]
    notes, rows = notation.Notes(), []
    for model in models:
        network = model.network
        if network is None:
            cells = [notation.ABSENT + notes.marks([lack(model)])] * (len(sizes) + 2)
        else:
            cells = [notation.plain(network.parameters, ""), _macs(network, notes)]
            for head, figure in sizes:
                size = figure(model, network)
                cells.append(_size(size, network, notes.marks(_remarks(head, size, model, network))))
        rows.append((model.label, *cells))
    heads = ("model", "parameters", "MACs", *(head for head, _ in sizes))
    caption = f"{_NEEDS}{_OWN_ARENA if own else ''}{_RESIDENT if resident else ''}"
    return Table("needs", "What an inference needs", heads, tuple(rows), caption, notes.all())


def _macs(network: Network, notes: notation.Notes) -> str:
    unknown = sum(operator.macs is None for operator in network.operators)
    if not unknown:
        return notation.plain(network.macs, "")
    marks = notes.marks([f"without those of {notation.counted(unknown, 'operator')}, which are not known"])
    return f"{notation.plain(network.macs, '')}{marks}"


def _remarks(head: str, size: int | None, model: Model, network: Network) -> list[str]:
    """How the arena is known; why a figure is not; that the engine's memory was seen before it inferred."""
    if head == _ARENA or (size is None and head in (_LEAST, _WORKING)):
        return [f"arena: {network.arena_how}"]
    if size is None:
        return ["the engine does not tell" if head == _OWN else "not seen around an uncounted load"]
    if head == _ENGINE and model.resident and model.resident.first_bytes is None:
        return ["after the load; no first inference was made"]
    return []


def _size(size: int | None, network: Network, marks: str) -> str:
    if size is None:
        return notation.ABSENT + marks
    return f"{_bytes(size)}{marks}\n× {notation.plain(size / network.size_bytes, notation.NUMBER)}"


def _grown(model: Model) -> int | None:
    return model.resident.load_bytes + (model.resident.first_bytes or 0) if model.resident else None


def _bytes(size: int) -> str:
    return notation.plain(size, "bytes")
