# What doctor says and a sweep by perf counts. Addresses are not randomised, so that equal runs do equal work.
sysctl -q -w kernel.randomize_va_space=0 kernel.perf_event_paranoid=1
user doctor "python3 -P -m profiler.cli doctor"
sweep="python3 -P -m profiler.cli sweep --models litert --counters perf --images 1,2,4"
user sweep "$sweep --repeats 2 --events lab,LLC-loads --name study"
cp -r /tmp/work/runs /tmp/work/reports /out
