#!/bin/bash
# lint.sh CHECK [FILE…]   one check of `./dev lint`, run by it inside the build root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Not through git: a checkout that is a git worktree has its repository elsewhere. Zero-terminated.
files() {
    local names=() name
    for name in "$@"; do names+=(-o -name "$name"); done
    find . \( -path ./build -o -path ./.git -o -path ./hawkbit/server \) -prune -o \
        -type f \( "${names[@]:1}" \) -print0 | LC_ALL=C sort -z
}

check_format() {
    sources "$@" | xargs -0 -r -P "$(nproc)" -n 16 clang-format-19 --dry-run -Werror --ferror-limit=1 && return
    echo "formatted by: ./dev lint --fix"
    return 1
}

check_fix() { sources "$@" | xargs -0 -r clang-format-19 -i; }

# The C++ files that are named, or all.
sources() { if [ $# -gt 0 ]; then printf '%s\0' "$@"; else files '*.h' '*.cpp'; fi; }

check_shellcheck() { shellcheck -x dev .ci/run scripts/*.sh; }

check_includes() { python3 scripts/lint-includes; }

check_length() {
    files '*.h' '*.cpp' '*.py' '*.sh' dev |
        xargs -0 wc -l | awk '$2 != "total" && $1 > 600 {print $2 ": " $1 " lines; split it (600 at most)"; bad = 1} END {exit bad}'
}

# Without names: what ships; tests only by name, they are as much again.
check_tidy() {
    local rooms='agent|cli|common|containers|hawkbit|ostree' patterns=() file
    for file in "$@"; do patterns+=("^/src/${file#./}\$"); done
    [ $# -gt 0 ] || patterns=("^/src/($rooms)/")
    # clang-tidy parses sources alone: what it cannot do without is generated headers, and precompiled ones in tests.
    ninja -C build/clang -t targets all | sed -nE 's/^([^/].*\.(h|pch)): .*/\1/p' | grep -E "$(needed "$@")" |
        xargs -r ninja -C build/clang
    run-clang-tidy-19 -quiet -p build/clang -j "$(nproc)" -header-filter="^/src/($rooms|tests)/" "${patterns[@]}"
}

needed() {
    case "$*" in
        *tests/*) echo . ;;
        *) echo '\.h$' ;;
    esac
}

check=$1
shift
"check_$check" "$@"
