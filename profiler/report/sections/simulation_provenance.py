"""Where simulated figures come from, in words: whose instructions, through which caches, by which simulator."""

from profiler.analysis import notation
from profiler.machine import events as catalogue
from profiler.machine import targets
from profiler.records import Simulation, Study
from profiler.report.sections.conditions import threads

_ARCHITECTURES = {"x86_64": "x86-64", "aarch64": "arm64"}
_VENDORS = {"arm": "aarch64", "GenuineIntel": "x86_64", "AuthenticAMD": "x86_64"}


def brief(simulation: Simulation) -> str:
    """`QEMU 7.2.22, Raspberry Pi 5 caches`: for a table's title."""
    return f"{simulation.version}, {simulation.target.title} caches"


def architecture(arch: str) -> str:
    """`x86-64`, `arm64`."""
    return _ARCHITECTURES.get(arch, arch)


def instructions(simulation: Simulation) -> str:
    """`x86-64 instructions`."""
    return f"{architecture(simulation.arch)} instructions"


def through(simulation: Simulation) -> str:
    """`by QEMU 7.2.22 (x86-64 instructions through the caches of Raspberry Pi 5)`."""
    return f"by {simulation.version} ({instructions(simulation)} through the caches of {simulation.target.title})"


def label(study: Study, simulation: Simulation) -> str:
    """What every table of simulated figures says of itself: source, instruction set, threads, cores and caches."""
    return (
        f"Simulated by {simulation.version}, not measured: {instructions(simulation)}, {threads(study)}, "
        f"{notation.counted(simulation.cores, 'simulated core')}; caches of {targets.describe(simulation.target)}."
    )


def foreign(simulation: Simulation) -> bool:
    """The instructions that ran are known not to be those of the machine whose caches are simulated."""
    known = simulation.target.uarch in catalogue.cores()
    own = _VENDORS.get(catalogue.core(simulation.target.uarch).vendor) if known else None
    return own is not None and own != simulation.arch
