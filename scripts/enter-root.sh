#!/bin/bash
# enter-root.sh ROOT SOURCE CACHE DEVICE_ROOT HAWKBIT_JAR CMD...
#
# Called in a new mount namespace (by in_root): arranges the build root and runs CMD in it. With pivot_root instead of
# chroot, because systemd-nspawn and runc refuse to work where the root is not a mount point of its own.
set -euo pipefail

root=$1 source=$2 cache=$3 device_root=$4 hawkbit_jar=$5
shift 5

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/lock"
mount --bind /tmp "$root/tmp"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind "$source" "$root/src"
mount --rbind "$cache" "$root/cache"
mount --bind "$cache/ccache" "$root/ccache"
mount --bind "$cache/m2" "$root/m2"
# Fixed names for what is keyed by a hash: in this namespace only, another checkout may mean another one.
if [ -d "$device_root" ]; then mount --bind "$device_root" "$root/cache/device-root"; fi
if [ -n "$hawkbit_jar" ]; then mount --bind "$hawkbit_jar" "$root/cache/hawkbit.jar"; fi

cd "$root"
pivot_root . mnt
umount -l /mnt
cd /src
exec "$@"
