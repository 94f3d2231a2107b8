# A camera that is the kernel's own: who may use it, what it costs to classify what it sees, and its loss.
sysctl -q -w kernel.perf_event_paranoid=1
for module in /usr/lib/camera/*.ko; do
    insmod "$module"
done
driver=/sys/bus/platform/drivers/vivid
profiler="python3 -P -m profiler.cli"

# allow: the video nodes are whose they are on a Debian with udev.
allow() {
    chgrp video /dev/video*
    chmod 660 /dev/video*
}
# within WORDS FILE: waits until FILE says WORDS, though not for ever.
within() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        grep -q "$1" "$2" && return
        sleep 1
    done
}

allow
as viewer cameras "$profiler cameras --json"
user denied "$profiler live --frames 1 --json"
as viewer live "$profiler live --frames 20 --record live --json"

su viewer -c "exec python3 /in/hold.py /dev/video0" >/out/held &
within streaming /out/held
as viewer busy "$profiler live --frames 1 --json"
kill $!

# Unplugged, plugged in again, and unplugged for good.
as viewer lost "$profiler live --rate 5 --seconds 100 --json" &
within '"frames":[1-9].*"ipc":[0-9]' /out/lost.out
echo vivid.0 >$driver/unbind
within 'frames":0.*"trouble":"' /out/lost.out
echo vivid.0 >$driver/bind
allow
within '"frames":[1-9].*"reconnects":1' /out/lost.out
echo vivid.0 >$driver/unbind
wait $!
cp -r /tmp/work/runs /out
