# shellcheck shell=bash
# ./dev build: one CMake preset, in the root, into build/<preset> of the checkout.

help_build() {
    cat <<END
usage: ./dev build [--preset NAME] [TARGET…]

Builds (all, or the targets named) into build/<preset>. Presets: $(list_presets). Without --preset: dev.
END
}

list_presets() {
    sed -n '/"buildPresets"/,$ s/.*"name": "\([^"]*\)".*/\1/p' "$DAVIT_SOURCE/CMakePresets.json" | paste -sd ' '
}

verb_build() {
    local preset=dev
    if [ "${1:-}" = --preset ]; then
        preset=${2:-}
        shift $(($# > 1 ? 2 : 1))
    fi
    case " $(list_presets) " in *" $preset "*) ;; *) die "no such preset: '$preset' (there are: $(list_presets))" ;; esac
    case ${1:-} in -*) usage_error build "$1" ;; esac
    ensure_build_root
    build_preset "$preset" "$@"
}

# build_preset PRESET [TARGET…]   ends ./dev with the end of the log when it fails
build_preset() { step "build $1" "$DAVIT_SOURCE/build/logs/build-$1.log" run_ninja "$@"; }

# shellcheck disable=SC2016 # expanded in the root
run_ninja() {
    mkdir -p "$DAVIT_SOURCE/build/$1"
    # One ninja at a time in a directory. Ninja calls CMake by itself for the files that CMake read; new rooms and changed
    # presets are for us to notice. Changed presets start afresh: CMake keeps old values, and what was derived from them.
    in_root bash -euc '
        preset=$1 dir=build/$1 stamp=build/$1/.davit-configured
        shift
        exec 9>"$dir/.davit-lock"
        flock 9
        if [ ! -f "$stamp" ] || [ CMakePresets.json -nt "$stamp" ]; then
            fresh=--fresh
        elif [ -n "$(find . -path ./build -prune -o -name CMakeLists.txt -newer "$stamp" -print -quit)" ]; then
            fresh=
        else
            fresh=no
        fi
        if [ "$fresh" != no ]; then
            touch "$stamp.new"
            cmake $fresh --preset "$preset"
            mv "$stamp.new" "$stamp"
        fi
        ninja -C "$dir" "$@" 9>&-
    ' - "$@"
}
