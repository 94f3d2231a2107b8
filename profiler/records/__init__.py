"""What is stored and handed on: frozen records, JSON in and out, no arithmetic, no I/O.

Every field that can be missing is None, never 0. Units are in the names; a `Count` carries its own.
"""

from profiler.records.base import (
    PHASES,
    Case,
    Count,
    Event,
    EventKind,
    Outcome,
    Quality,
    R,
    Record,
    Region,
    Status,
    from_json,
    to_json,
)
from profiler.records.machines import (
    Cache,
    Machine,
    MachineState,
    Target,
)
from profiler.records.runs import (
    Completion,
    Engine,
    Model,
    Run,
    TensorSpec,
    Usage,
)
from profiler.records.studies import (
    READABLE,
    SCHEMA,
    Plan,
    Simulation,
    Study,
    planned,
)

__all__ = [
    "PHASES",
    "READABLE",
    "SCHEMA",
    "Cache",
    "Case",
    "Completion",
    "Count",
    "Engine",
    "Event",
    "EventKind",
    "Machine",
    "MachineState",
    "Model",
    "Outcome",
    "Plan",
    "Quality",
    "R",
    "Record",
    "Region",
    "Run",
    "Simulation",
    "Status",
    "Study",
    "Target",
    "TensorSpec",
    "Usage",
    "from_json",
    "planned",
    "to_json",
]
