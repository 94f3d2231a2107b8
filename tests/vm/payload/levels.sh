# What the levels of perf_event_paranoid make of the commands, and what groups perf takes while others hold counters.
for level in 2 3; do
    sysctl -q -w "kernel.perf_event_paranoid=$level"
    user "doctor-$level" "python3 -P -m profiler.cli doctor"
done
user sweep-3 "python3 -P -m profiler.cli sweep --models litert --counters perf --images 1,2,4"
ls -A /tmp/work >/out/left-3

sysctl -q -w kernel.perf_event_paranoid=1
# More names of one event than there are counters, and each of them counts.
many=cycles,inst_retired,r8,r08,r008,r0008,r00008,r000008,r11,r011,r0011
user survey "python3 -P /in/survey.py $many"
perf stat -a -e r08:D,r08:D,r08:D sleep 1000 2>/dev/null &
sleep 1
user survey-held "python3 -P /in/survey.py $many"
kill $!
