# shellcheck shell=bash
# ./dev clean, and stopping what is left running.

help_clean() {
    cat <<END
usage: ./dev clean [--all]

Stops what a kept demo of this checkout left running and removes build/.
  --all   removes the cache too ($DAVIT_CACHE): roots, hawkBit, ccache, Maven's repository
END
}

verb_clean() {
    case ${1:-} in
        --all | '') ;;
        *) usage_error clean "$1" ;;
    esac
    stop_recorded
    rm -rf --one-file-system "$(run_dir)" "$DAVIT_SOURCE/build"
    [ "${1:-}" != --all ] || remove_cache
    say "clean"
}

# Whoever leaves a process running on purpose writes "PID STARTTIME" (field 22 of /proc/PID/stat, so that a PID that was
# given to another process since is left alone) as a line of <run_dir>/<name>.pid.
recorded() {
    local pid start
    cat "$(run_dir)"/*.pid 2>/dev/null | while read -r pid start; do
        if [ "$(start_time_of "$pid")" = "$start" ]; then printf '%s\n' "$pid"; fi
    done
}

# The command's name, field 2, may contain spaces: what is behind its last parenthesis begins with field 3.
start_time_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# systemd-nspawn takes SIGTERM as the order to shut its device down.
stop_recorded() {
    local signal pids
    for signal in TERM KILL; do
        for _ in $(seq 100); do
            mapfile -t pids < <(recorded)
            [ ${#pids[@]} -gt 0 ] || return 0
            kill -s "$signal" "${pids[@]}" 2>/dev/null || true
            sleep 0.1
        done
    done
}

# Only what we put there, in case the cache is a directory with other things in it.
remove_cache() {
    local root
    for root in "$DAVIT_CACHE"/{build,device}-root-????????????; do
        [ ! -d "$root" ] || remove_root "$root" || die "$root is in use; nothing more removed"
    done
    rm -rf --one-file-system "$DAVIT_CACHE"/{build-root-*,device-root*,devices,hawkbit*,ccache,m2,run,log}
    rmdir --ignore-fail-on-non-empty "$DAVIT_CACHE"
}

# For the end of ./dev, however it comes: children first, they are found through their parents.
stop_descendants() {
    local child
    for child in $(pgrep -P "$1"); do
        stop_descendants "$child"
        kill -TERM "$child" 2>/dev/null || true
    done
}
