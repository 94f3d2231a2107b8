"""A machine and its state under pyperf's names (https://pyperf.readthedocs.io/en/latest/api.html#metadata). Pure.

pyperf's `hostname` is left out: a study does not hold it.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from profiler.records import NOT_TOLD, Run, Study

Value = str | int | float


def of_study(study: Study) -> dict[str, Value]:
    """What is the same for all runs of the study; what its machine does not tell is left out."""
    its = study.machine
    found = {
        "cpu_model_name": its.cpu,
        "cpu_machine": its.board,
        "cpu_count": its.cpus,
        "cpu_affinity": cpus(study.plan.cpus or ()),
        "platform": "" if its.kernel == NOT_TOLD else f"Linux-{its.kernel}-{its.arch}",
        "python_version": its.python,
    }
    return {key: value for key, value in found.items() if value and value != NOT_TOLD}


def of_run(run: Run) -> dict[str, Value]:
    """What pyperf notes of a process: when it began (UTC), how busy, fast and warm the machine was then, its memory."""
    state = run.before
    found: dict[str, Value | None] = {
        "date": run.started_at.replace("T", " ") if dated(run.started_at) else None,
        "duration": run.wall_ns / 1e9,
        "load_avg_1min": state.load_1min,
        "cpu_freq": "; ".join(_of_cpus(f"{hz / 1e6:.0f} MHz" for hz in state.clock_hz or ())) or None,
        "cpu_temp": None if state.temperature_celsius is None else f"{state.temperature_celsius:.0f} C",
        "cpu_config": f"governor:{state.governor}" if state.governor else None,
        "mem_max_rss": run.completion.peak_rss_bytes if run.completion else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def dated(moment: str) -> bool:
    """Whether the moment has a time of day: of an imported study perhaps only the year is known."""
    return "T" in moment


def cpus(numbers: Sequence[int]) -> str:
    """CPUs as the kernel and pyperf list them: `0-2,5`."""
    runs = [
        [cpu for _, cpu in run] for _, run in groupby(enumerate(sorted(numbers)), key=lambda place: place[1] - place[0])
    ]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _of_cpus(values: Iterable[str]) -> list[str]:
    """What is so of each CPU in turn, CPUs of one value together: `0-3=2400 MHz`."""
    by_value: dict[str, list[int]] = {}
    for cpu, value in enumerate(values):
        by_value.setdefault(value, []).append(cpu)
    return [f"{cpus(numbers)}={value}" for value, numbers in by_value.items()]
