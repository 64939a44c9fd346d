#!/bin/bash
# enter-root.sh ROOT SOURCE CACHE DEVICE_ROOT HAWKBIT_JAR CMD...
#
# Called in a new mount namespace (by in_root): arranges the build root and runs CMD in it. With pivot_root instead of
# chroot, because systemd-nspawn and runc refuse to work where the root is not a mount point of its own.
set -euo pipefail

root=$1 source=$2 cache=$3 device_root=$4 hawkbit_jar=$5
shift 5

# Everything that still runs in this mount namespace, except this script. A device's processes have a namespace of
# their own, but die with their systemd-nspawn, which is in this one.
left_over() {
    local here found pid
    here=$(readlink /proc/self/ns/mnt) # mnt:[4026531841]; the brackets are not to be a pattern's
    found=$(find /proc/[0-9]*/ns/mnt -lname "${here/\[/\\[}" 2>/dev/null || true)
    while IFS=/ read -r _ _ pid _; do
        # find itself was there too, and is gone by now; so was the subshell that this runs in.
        if [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] && [ -e "/proc/$pid/ns/mnt" ]; then printf '%s\n' "$pid"; fi
    done <<<"$found"
}

sweep() {
    local signal pids
    for signal in TERM KILL; do
        for _ in $(seq 50); do
            pids=$(left_over)
            [ -n "$pids" ] || return 0
            # shellcheck disable=SC2086 # one word each
            kill -s "$signal" $pids 2>/dev/null || true
            sleep 0.1
        done
    done
}

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/lock"
mount --bind /tmp "$root/tmp"
if [ -e /etc/resolv.conf ]; then mount --bind /etc/resolv.conf "$root/etc/resolv.conf"; fi
mount --bind "$source" "$root/src"
mount --rbind "$cache" "$root/cache"
mount --bind "$cache/ccache" "$root/ccache"
mount --bind "$cache/m2" "$root/m2"
# Fixed names for what is keyed by a hash: in this namespace only, another checkout may mean another one.
if [ -d "$device_root" ]; then mount --bind "$device_root" "$root/cache/device-root"; fi
if [ -f "$hawkbit_jar" ]; then mount --bind "$hawkbit_jar" "$root/cache/hawkbit.jar"; fi

cd "$root"
pivot_root . mnt
umount -l /mnt
cd /src

[ -n "${DAVIT_SWEEP:-}" ] || exec "$@"
unset DAVIT_SWEEP
trap sweep EXIT
"$@"
