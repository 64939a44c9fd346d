# shellcheck shell=bash
# What every part of ./dev needs: messages, steps with progress, locks.

say() { printf '%s\n' "$*"; }

die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "this needs root (mounts, namespaces, containers): run it as root or with sudo"
    # Said once, not again by the ./dev that a tier of the tests may start.
    [ -n "${DAVIT_ROOT_ANNOUNCED:-}" ] || say "dev: works as root; files outside the checkout go to $DAVIT_CACHE only" >&2
    export DAVIT_ROOT_ANNOUNCED=1
}

# Prints a line every ten seconds until it is killed. Forks nothing, so that no child keeps our stdout or locks open.
ticker() {
    local title=$1 log=$2 start=$SECONDS last
    while true; do
        read -rt 10 <> <(:) || true
        last=$(tail -n 1 "$log" 2>/dev/null | tr -dc '[:print:]' | cut -c1-90)
        say "  … $title: $((SECONDS - start)) s  $last"
    done
}

# try_step TITLE LOG CMD...   runs CMD with its output in LOG; prints progress and the time it took; returns CMD's code.
# CMD runs in the foreground (Ctrl-C reaches it), without stdin.
try_step() {
    local title=$1 log=$2 start=$SECONDS rc=0 tick
    shift 2
    mkdir -p "$(dirname "$log")"
    : >"$log"
    ticker "$title" "$log" &
    tick=$!
    ("$@") >>"$log" 2>&1 </dev/null || rc=$?
    kill "$tick" 2>/dev/null
    wait "$tick" 2>/dev/null || true
    if [ "$rc" -eq 0 ]; then
        say "  $title: done in $((SECONDS - start)) s"
    else
        say "  $title: FAILED ($rc) after $((SECONDS - start)) s; log: $log"
    fi
    return "$rc"
}

# The same, but a failure prints the end of the log and ends ./dev.
step() {
    local log=$2
    try_step "$@" && return
    tail -n 40 "$log" >&2
    exit 1
}

# Installs the host's missing programs; arguments: program=package...
need_host_programs() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "please install: ${missing[*]}"
    step "apt-get install ${missing[*]}" "$DAVIT_CACHE/log/apt.log" install_host_packages "${missing[@]}"
}

install_host_packages() {
    apt-get update &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
