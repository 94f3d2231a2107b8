#!/bin/busybox sh
# /init of the guest's initial memory disk: loads the drivers of the root disk, mounts the root disk, hands over to init.sh.
/bin/busybox mkdir -p /sbin
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do
    insmod "$module"
done
for wait in 1 2 3 4 5 6 7 8 9 10; do
    [ -b /dev/vdc ] && break
    sleep 0.2
done
for disk in vda vdb vdc; do
    ln -s "$disk" "/dev/disk-$(cat "/sys/block/$disk/serial")"
done
mount -t ext4 -o ro /dev/disk-root /root || poweroff -f
for folder in proc sys dev; do
    mount --move "/$folder" "/root/$folder"
done
exec switch_root /root /sbin/init-guest
