"""What a neural network costs the hardware, and why."""

from profiler.version import __version__ as __version__

# Type checkers take a name like this for true. `typing` is not imported for it: what this module imports, the measured
# process imports.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from profiler.export.frames import StudyFrames


def load(study: "str | Path", runs: "str | Path" = "runs") -> "StudyFrames":
    """A study for a notebook: tidy pandas frames of the study at a path, or of that name in the folder `runs`.

    >>> import profiler
    >>> study = profiler.load("x86-vm")
    >>> study
    <Study x86-vm: 2 models, 80 runs>

    Each frame is made when it is first asked for: `runs`, `counts`, `latencies`, `phases`, `models`, `costs` and
    `metadata`; `tables` has them all by name. What a model costs, with its 95 % interval, here wall time in ns, paid
    once (fixed) and for each image (counted in the region of the inferences):

    >>> times = study.costs.query("event == 'duration_time' and what in ('fixed', 'region')")
    >>> print(times[["subject", "what", "value", "low", "high", "status"]].round(-4).to_string(index=False))
    subject   what         value           low          high  status
      keras  fixed  5314500000.0  4928270000.0  5730400000.0 counted
      keras region    64320000.0    58030000.0    73880000.0 counted
     litert  fixed   130040000.0   109850000.0   153360000.0 counted
     litert region     6440000.0     6240000.0     6720000.0 counted

    The median and the 95th percentile of single inferences, in ms:

    >>> print((study.latencies.groupby("model")["latency_ns"].quantile([0.5, 0.95]).unstack() / 1e6).round(2))
             0.50   0.95
    model
    keras   58.17  93.45
    litert   6.33   7.56

    Counts run by run, here the page faults of whole processes:

    >>> whole = study.counts.query("event == 'page-faults' and region == 'process'")
    >>> print(whole.groupby(["model", "images"])["value"].mean().unstack("images").round())
    images        1         2         5         10        20        40
    model
    keras   101504.0  101516.0  101445.0  101739.0  101889.0  102869.0
    litert    6792.0    6792.0    6794.0    6796.0    6794.0    6796.0

    What is absent is not 0, and says why:

    >>> print(study.costs.query("event == 'cycles' and what == 'fixed'")["reason"].iloc[0])
    this machine shows no hardware counters (no PMU)

    Raises:
        ProfilerError: There is none, or it is damaged or of another schema.
    """
    from profiler.export import frames

    return frames.load(study, runs)
