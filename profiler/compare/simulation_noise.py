"""How far simulated counts differ without a cause: by how much two runs of a case did, and which are too few. Pure."""

from profiler.analysis.costs import Cost
from profiler.compare.study import Subject

RARE = 0.05
"""Simulated events in 1000 instructions below which no cost is made of them: at a Raspberry Pi 5's 280 cycles from
memory they take 14 cycles, which at one instruction a cycle is 1.4 % of the time. So few are decided by where the
loader put the program: the same sweep from another folder had 12 % more of them."""


def slack(subject: Subject, label: str, event: str) -> float:
    """By which share two simulated runs of one case of the model differed in this event; 0 where none ran twice."""
    return max(
        (repeat.of.get(event, 0.0) for repeat in subject.analysis.repeats if repeat.case.model == label), default=0.0
    )


def rare(subject: Subject, cost: Cost) -> bool:
    """Whether a simulated event is rare beside the model's instructions; False where either is not known."""
    costs = subject.costs(simulated=True)
    instructions = costs.answering("instructions") if costs else None
    whole = costs[instructions.name, cost.model].per_image if costs and instructions else None
    return bool(cost.per_image and whole and cost.per_image.value * 1000 < RARE * whole.value)
