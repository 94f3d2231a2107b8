"""One model file's inspection as tables and sentences for a terminal."""

from collections.abc import Iterator

from profiler.analysis import notation
from profiler.machine.cache_fit import Level, fits, levels
from profiler.records import Engine, Network, Operator, Port, Resident, Target
from profiler.report.model import Table
from profiler.report.sections import operators as by_kind
from profiler.report.sections.working_sets import fate


def tables(
    network: Network, engine: Engine | None, resident: Resident | None, target: Target, every: bool
) -> tuple[Table, ...]:
    """What the file holds, what its inference needs, its operators, and which of the target's caches that fits.

    Args:
        every: Whether each operator has a row of its own.
    """
    holding = levels(target.caches)
    found = (
        _bytes(network),
        Table("needs", "What an inference needs", ("", ""), tuple(_needs(network, resident)), words=True),
        by_kind.table(network, engine),
        _caches(network, target, holding),
    )
    return (*found, _each(network, holding)) if every else found


def _bytes(network: Network) -> Table:
    rows = [
        (
            share.kind if share.kind == share.what or not share.what else f"{share.kind}, {share.what}",
            f"{share.size_bytes:,}",
            notation.percent(share.size_bytes / network.size_bytes),
        )
        for share in network.shares
    ]
    rows.append(("the file", f"{network.size_bytes:,}", notation.percent(1)))
    return Table("bytes", "Where its bytes go", ("part", "bytes", "share"), tuple(rows))


def _needs(network: Network, resident: Resident | None) -> Iterator[tuple[str, str]]:
    for signature in network.signatures:
        ports = [("input", port) for port in signature.inputs] + [("output", port) for port in signature.outputs]
        yield from ((f"{kind}{f' of {signature.key}' if signature.key else ''}", _port(port)) for kind, port in ports)
    yield "parameters", notation.plain(network.parameters, "")
    unknown = sum(operator.macs is None for operator in network.operators)
    besides = f", those of {notation.counted(unknown, 'operator')} not known" if unknown else ""
    known = notation.plain(network.macs, "") if unknown < len(network.operators) else notation.ABSENT
    yield "multiply-accumulates", f"{known}{besides}"
    yield "weights read", notation.plain(network.read_bytes, "bytes")
    yield "activations' arena", _known(network.arena_bytes, network.arena_how)
    yield "alive at one time", _known(network.least_bytes, "the most, whoever plans")
    yield "working set", _known(network.working_set_bytes, "weights and arena")
    if resident:
        grown = resident.load_bytes + (resident.first_bytes or 0)
        yield "resident after load", f"{notation.plain(grown, 'bytes')} of the engine's own memory (measured once)"
        yield "resident of the file", f"{notation.plain(resident.file_bytes, 'bytes')} mapped (measured once)"


def _known(size: int | None, how: str) -> str:
    return f"{_size(size)} ({how})"


def _size(size: int | None) -> str:
    return notation.ABSENT if size is None else notation.plain(size, "bytes")


def _port(port: Port) -> str:
    shape = "×".join("?" if size < 0 else str(size) for size in port.shape)
    said = f"{port.name}: {port.dtype} {shape}"
    if len(port.scales) > 1:
        return f"{said}, {len(port.scales)} scales"
    return f"{said}, scale {port.scales[0]:.6g}, zero point {port.zero_points[0]}" if port.scales else said


def _caches(network: Network, target: Target, holding: tuple[Level, ...]) -> Table:
    """Operators by the first cache that holds them; the largest, and the whole inference."""
    rows = []
    for name, size in [*holding, (None, 0)]:
        sizes = ((each, each.working_set_bytes) for each in network.operators)
        mine = [each for each, own in sizes if own is not None and fits(own, holding) == name]
        macs = sum(each.macs or 0 for each in mine)
        share = f", {notation.percent(macs / network.macs)} of MACs" if network.macs and mine else ""
        head = f"first fit {name} ({notation.plain(size, 'bytes')})" if name else "fit none of them"
        rows.append((head, f"{notation.counted(len(mine), 'operator')}{share}"))
    unknown = sum(each.working_set_bytes is None for each in network.operators)
    if unknown:
        rows.append(("not known of", notation.counted(unknown, "operator")))
    if network.largest:
        rows.append(("largest operator", f"{network.largest.name}, {_size(network.largest.working_set_bytes)}"))
    every = network.working_set_bytes
    whole = notation.ABSENT if every is None else f"{_size(every)}: {fate(every, holding)}"
    rows.append(("whole inference", whole))
    return Table("caches", f"Working sets against the caches of {target.title}", ("", ""), tuple(rows), words=True)


def _each(network: Network, holding: tuple[Level, ...]) -> Table:
    def row(place: int, operator: Operator) -> tuple[str, ...]:
        sizes = (operator.input_bytes, operator.weight_bytes, operator.output_bytes, operator.working_set_bytes)
        macs = notation.ABSENT if operator.macs is None else notation.plain(operator.macs, "")
        together = operator.working_set_bytes
        first = notation.ABSENT if together is None else fits(together, holding) or "none"
        return (f"{place} {operator.name}", *map(_size, sizes), first, macs)

    heads = ("operator", "inputs", "weights", "outputs", "together", "fits", "MACs")
    rows = tuple(row(place, operator) for place, operator in enumerate(network.operators))
    return Table("each", "Every operator", heads, rows)
