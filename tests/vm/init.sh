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

# as USER NAME COMMAND: /out gets NAME.out, NAME.err and NAME.status.
as() {
    su "$1" -c "cd /tmp/work && $3" >"/out/$2.out" 2>"/out/$2.err"
    echo $? >"/out/$2.status"
}
# user NAME COMMAND: as a user without privileges.
user() {
    as user "$@"
}

. /in/run.sh
dmesg >/out/dmesg
cd /out || poweroff -f
tar cf /dev/disk-out .
sync
poweroff -f
