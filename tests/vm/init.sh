#!/bin/sh
# The guest's first process: unpacks what the host put in, runs it as root, packs /out for the host, ends.
export PATH=/usr/bin:/bin:/sbin HOME=/tmp PYTHONPATH=/in
for folder in /tmp /in /out; do
    mount -t tmpfs tmpfs "$folder"
done
mkdir -m 1777 /tmp/work
cd /in || poweroff -f
tar xf /dev/disk-in
[ -e /in/profiler/__pycache__ ] || python3 -m compileall -q /in/profiler

# user NAME COMMAND: as a user without privileges; /out gets NAME.out, NAME.err and NAME.status.
user() {
    su user -c "cd /tmp/work && $2" >"/out/$1.out" 2>"/out/$1.err"
    echo $? >"/out/$1.status"
}

. /in/run.sh
dmesg >/out/dmesg
cd /out || poweroff -f
tar cf /dev/disk-out .
sync
poweroff -f
