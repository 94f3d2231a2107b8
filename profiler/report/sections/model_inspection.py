"""One model file's inspection as tables and sentences for a terminal."""

from collections.abc import Iterator
from dataclasses import replace

from profiler.analysis import notation
from profiler.machine.cache_fit import Level, fits, levels
from profiler.records import Engine, Network, Operator, Port, Resident, Target
from profiler.report.cells import Column, absent, fact, share, tabulated
from profiler.report.model import Cell, Entry, Table
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
    parts = {
        each.kind if each.kind == each.what or not each.what else f"{each.kind}, {each.what}": each.size_bytes
        for each in network.shares
    }
    columns: list[Column[int]] = [Column("bytes", Cell), Column("share", lambda size: share(size, network.size_bytes))]
    rows = (*parts.items(), ("the file", network.size_bytes))
    return tabulated("bytes", "Where its bytes go", "part", rows, columns)


def _needs(network: Network, resident: Resident | None) -> Iterator[tuple[str, Entry]]:
    for signature in network.signatures:
        ports = [("input", port) for port in signature.inputs] + [("output", port) for port in signature.outputs]
        yield from ((f"{kind}{f' of {signature.key}' if signature.key else ''}", _port(port)) for kind, port in ports)
    yield "parameters", fact(network.parameters)
    unknown = sum(operator.macs is None for operator in network.operators)
    macs = fact(network.macs if unknown < len(network.operators) else None)
    besides = f"besides those of {notation.counted(unknown, 'operator')}, which are not known" if unknown else ""
    yield "multiply-accumulates", replace(macs, after=besides)
    yield "weights read", fact(network.read_bytes, "bytes")
    yield "activations' arena", _known(network.arena_bytes, network.arena_how)
    yield "alive at one time", _known(network.least_bytes, "the most, whoever plans")
    yield "working set", _known(network.working_set_bytes, "weights and arena")
    if resident:
        grown = resident.load_bytes + (resident.first_bytes or 0)
        yield "resident after load", _known(grown, "of the engine's own memory, measured once")
        yield "resident of the file", _known(resident.file_bytes, "mapped, measured once")


def _known(size: int | None, how: str) -> Cell:
    return replace(fact(size, "bytes"), after=f"({how})")


def _port(port: Port) -> str:
    shape = "×".join("?" if size < 0 else str(size) for size in port.shape)
    said = f"{port.name}: {port.dtype} {shape}"
    if len(port.scales) > 1:
        return f"{said}, {len(port.scales)} scales"
    return f"{said}, scale {port.scales[0]:.6g}, zero point {port.zero_points[0]}" if port.scales else said


def _caches(network: Network, target: Target, holding: tuple[Level, ...]) -> Table:
    """Operators by the first cache that holds them; the largest, and the whole inference."""
    rows: list[tuple[str, Entry]] = []
    sized = [(each.working_set_bytes, each.macs or 0) for each in network.operators]
    for name, size in [*holding, (None, 0)]:
        mine = [macs for own, macs in sized if own is not None and fits(own, holding) == name]
        part = f", {notation.percent(sum(mine) / network.macs)} of MACs" if network.macs and mine else ""
        head = f"first fit {name} ({notation.size(size)})" if name else "fit none of them"
        rows.append((head, f"{notation.counted(len(mine), 'operator')}{part}"))
    unknown = sum(own is None for own, _ in sized)
    if unknown:
        rows.append(("not known of", notation.counted(unknown, "operator")))
    if network.largest:
        largest = fact(network.largest.working_set_bytes, "bytes")
        rows.append(("largest operator", replace(largest, after=f"({network.largest.name})")))
    every = network.working_set_bytes
    rows.append(("whole inference", fact(every, "bytes", under="" if every is None else fate(every, holding))))
    return Table("caches", f"Working sets against the caches of {target.title}", ("", ""), tuple(rows), words=True)


def _each(network: Network, holding: tuple[Level, ...]) -> Table:
    def first(operator: Operator) -> Entry:
        together = operator.working_set_bytes
        return absent() if together is None else fits(together, holding) or "none"

    columns: list[Column[Operator]] = [
        Column("inputs", lambda operator: fact(operator.input_bytes, "bytes")),
        Column("weights", lambda operator: fact(operator.weight_bytes, "bytes")),
        Column("outputs", lambda operator: fact(operator.output_bytes, "bytes")),
        Column("together", lambda operator: fact(operator.working_set_bytes, "bytes")),
        Column("fits", first),
        Column("MACs", lambda operator: fact(operator.macs)),
    ]
    rows = [(f"{place} {operator.name}", operator) for place, operator in enumerate(network.operators)]
    return tabulated("each", "Every operator", "operator", rows, columns)
