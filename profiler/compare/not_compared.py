"""What was not divided, and why."""

from profiler.compare.model import Comparison
from profiler.report.model import Cell, Table


def apart(found: Comparison, blocked: bool) -> Table | None:
    """What was not divided, and why: what must not be, or what one of the studies lacks."""
    several = len(found.others) > 1
    grouped: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for each in found.apart:
        if each.blocked == blocked:
            events = grouped.setdefault((each.study, each.what, each.reason), {})
            events.setdefault(each.event, []).append(each.model)
    if not grouped:
        return None
    rows = tuple(
        (reason.partition(": ")[0], reason.partition(": ")[2], *([study] if several else []), _subjects(events, kind))
        for (study, kind, reason), events in grouped.items()
    )
    heads = ("why", "more exactly", *(["study"] if several else []), "what")
    if blocked:
        return Table("blocked", "Must not be compared", heads, rows, words=True)
    return Table("lacking", "In one study only", heads, rows, words=True)


def _subjects(events: dict[str, list[str]], kind: str) -> str:
    """`keras, litert: LLC-loads, cycles (for each image)`."""
    by_models: dict[str, list[str]] = {}
    for event, models in events.items():
        by_models.setdefault(", ".join(dict.fromkeys(models)), []).append(event)
    parts = (f"{models}: {', '.join(filter(None, names)) or 'every event'}" for models, names in by_models.items())
    return f"{'; '.join(parts)}{f' ({kind})' if kind else ''}"


def brief(found: Comparison) -> Table | None:
    """For a terminal: each reason in few words and how many figures it keeps apart."""
    count: dict[str, int] = {}
    for each in found.apart:
        if each.blocked:
            reason = each.reason.partition(":")[0]
            count[reason] = count.get(reason, 0) + 1
    rows = tuple((reason, Cell(number)) for reason, number in count.items())
    return Table("summary-blocked", "Kept apart", ("why", "models and events"), rows) if rows else None
