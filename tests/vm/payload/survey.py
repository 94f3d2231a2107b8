"""What perf counts of the events in the first argument, as the project finds out on this machine: JSON."""

import json
import sys

from profiler.counters import choose
from profiler.machine import events as catalogue
from profiler.machine import host

here = host.describe()
wanted = catalogue.resolve(sys.argv[1], catalogue.core(here.uarch), here.pmu)
_, survey = choose("perf", wanted, here, ("process",))
print(json.dumps(survey._asdict()))
