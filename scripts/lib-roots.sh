# shellcheck shell=bash
# The two Debian 13 roots: the one everything is built and run in, and the one that devices boot.
# Each lies in the cache under a name with the hash of what it is made from, so checkouts with different lists coexist.

BUILD_PACKAGES=(
    g++-14 g++-13 cmake ninja-build pkgconf ccache git make binutils gdb-minimal strace
    libostree-dev libcurl4-openssl-dev libsystemd-dev libsdbus-c++-dev libsdbus-c++-bin libsqlite3-dev libssl-dev
    nlohmann-json3-dev libcli11-dev libarchive-dev libgtest-dev libgmock-dev libbenchmark-dev
    clang-19 clang-tidy-19 clang-format-19 lld-19 llvm-19 libclang-rt-19-dev shellcheck
    python3 python3-pytest python3-pytest-timeout python3-pytest-xdist python3-cryptography
    curl jq ostree sqlite3 zstd xz-utils procps iproute2 util-linux openssl ca-certificates mmdebstrap
    runc crun systemd systemd-container dbus nginx-light
    libfuse3-dev fuse3 e2fsprogs mount
    openjdk-21-jdk-headless maven
)

DEVICE_PACKAGES=(
    systemd systemd-sysv dbus libpam-systemd runc crun ostree libostree-1-1 'libsdbus-c++2'
    libsqlite3-0 libcurl4t64 libssl3t64 libarchive13t64 libstdc++6
    ca-certificates curl iproute2 util-linux procps jq python3-minimal openssl
)

# Would make the boot of a device end as `degraded` or start work that no test asked for.
DEVICE_MASKED=(
    systemd-modules-load.service console-getty.service getty@.service getty.target systemd-timesyncd.service
    systemd-resolved.service systemd-networkd.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
    fstrim.timer e2scrub_all.timer systemd-pcrphase.service
)

# name_root PREFIX WORD...   the root's path; the words are everything that decides its content
name_root() {
    local prefix=$1
    shift
    printf '%s/%s-%s\n' "$DAVIT_CACHE" "$prefix" "$(printf '%s\n' "$@" | sha256sum | cut -c1-12)"
}

build_root() { name_root build-root 1 "${BUILD_PACKAGES[@]}"; }
device_root() { name_root device-root 1 "${DEVICE_PACKAGES[@]}" "${DEVICE_MASKED[@]}"; }

# The archive that this machine itself uses; nothing if it names none, then mmdebstrap takes its default.
debian_mirror() {
    grep -qx 'ID=debian' /etc/os-release || return 0
    cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
        awk '/^URIs:/ {print $2; exit} /^deb / {for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) {print $i; exit}}'
}

# debootstrap_root DIR PACKAGE...
debootstrap_root() {
    local dir=$1 mirror
    shift
    mirror=$(debian_mirror)
    # shellcheck disable=SC2016 # mmdebstrap expands the hook
    # man1: openjdk's postinst fails without it, and the path excludes would leave it out.
    mmdebstrap --variant=minbase \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --setup-hook='mkdir -p "$1/usr/share/man/man1"' \
        --include="$(IFS=,; printf '%s' "$*")" trixie "$dir" ${mirror:+"$mirror"} || return
    # Roots must never start services of their own accord, and must not carry the archive's address around.
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
    chmod 755 "$dir/usr/sbin/policy-rc.d"
    rm -f "$dir/etc/apt/sources.list"
}

make_build_root() {
    debootstrap_root "$1" "${BUILD_PACKAGES[@]}" || return
    mkdir -p "$1"/{src,cache,ccache,m2,mnt}
    : >"$1/etc/resolv.conf"
    tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id" # systemd-nspawn asks for it
}

make_device_root() {
    local unit
    debootstrap_root "$1" "${DEVICE_PACKAGES[@]}" || return
    for unit in "${DEVICE_MASKED[@]}"; do
        ln -sfn /dev/null "$1/etc/systemd/system/$unit"
    done
    # Each device gets its own identity at its first boot.
    : >"$1/etc/machine-id"
    printf 'device\n' >"$1/etc/hostname"
    rm -f "$1/usr/sbin/policy-rc.d"
}

ensure_build_root() { ensure_root "Debian 13 build root" "$(build_root)" make_build_root; }
ensure_device_root() { ensure_root "Debian 13 device root" "$(device_root)" make_device_root; }

# ensure_root TITLE PATH MAKER   builds the root once, in a temporary name, whoever comes first.
ensure_root() {
    local title=$1 path=$2 maker=$3 root_lock
    if [ ! -d "$path" ]; then
        need_host_programs mmdebstrap=mmdebstrap arch-test=arch-test newuidmap=uidmap zstd=zstd
        [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || install_host_packages debian-archive-keyring
        exec {root_lock}>"$path.making"
        flock "$root_lock"
        if [ ! -d "$path" ]; then
            remove_old_roots "${path%-*}" "$path"
            rm -rf --one-file-system "$path.tmp"
            step "$title" "$DAVIT_CACHE/log/$(basename "$path").log" "$maker" "$path.tmp"
            mv "$path.tmp" "$path"
        fi
        rm -f "$path.making"
        exec {root_lock}>&-
    fi
    sync_certificates "$path"
}

# Removes roots of older lists that nothing runs in and that nobody entered for two days (another checkout may use them).
remove_old_roots() {
    local prefix=$1 keep=$2 root
    for root in "$prefix"-????????????; do
        if [ ! -d "$root" ] || [ "$root" = "$keep" ]; then continue; fi
        if [ -n "$(find "$root.lock" -mtime -2 2>/dev/null)" ]; then continue; fi
        remove_root "$root" || true
    done
}

# Fails when a process still works in it: everyone inside holds the lock shared.
remove_root() {
    flock --nonblock --exclusive "$1.lock" rm -rf --one-file-system "$1" && rm -f "$1.lock"
}

# Machines behind an intercepting proxy have authorities of their own, without which every TLS client inside fails.
sync_certificates() {
    local root=$1 dir=usr/local/share/ca-certificates now
    now=$(cat "/$dir"/*.crt 2>/dev/null | sha256sum)
    [ "$now" != "$(cat "$root/etc/davit-certificates" 2>/dev/null)" ] || return 0
    mkdir -p "$root/$dir"
    rm -f "$root/$dir"/*.crt
    cp "/$dir"/*.crt "$root/$dir/" 2>/dev/null || true
    # shellcheck disable=SC2016 # expanded there
    # Its hook for Java reads /proc.
    unshare -m bash -ec 'mount -t proc proc "$1/proc"; chroot "$1" update-ca-certificates' - "$root" \
        >"$DAVIT_CACHE/log/certificates.log" 2>&1 </dev/null || die "certificates: see $DAVIT_CACHE/log/certificates.log"
    printf '%s\n' "$now" >"$root/etc/davit-certificates"
}
