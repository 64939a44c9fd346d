# shellcheck shell=bash
# ./dev lint. The checks themselves are in lint.sh, which runs inside the root.

# In ./dev test, clang's warnings come with the asan tier.
LINT_QUICK=(format shellcheck includes length gcc13)
LINT_ALL=("${LINT_QUICK[@]}" clang tidy)

help_lint() {
    cat <<END
usage: ./dev lint [CHECK…|FILE…]
       ./dev lint --fix [FILE…]

Checks: ${LINT_ALL[*]} (all when nothing is named). With files: format and clang-tidy of these.
  --fix   formats the files (all when none is named) instead of checking
END
}

verb_lint() {
    local word checks=() files=() failed=() fix=
    if [ "${1:-}" = --fix ]; then
        fix=1
        shift
    fi
    for word in "$@"; do
        case " ${LINT_ALL[*]} " in
            *" $word "*) checks+=("$word") ;;
            *)
                [ -f "$word" ] || usage_error lint "$word"
                files+=("$(realpath --relative-to="$DAVIT_SOURCE" "$word")")
                ;;
        esac
    done
    if [ -n "$fix" ]; then
        checks=(fix)
    elif [ ${#files[@]} -gt 0 ]; then
        checks=(format tidy)
    elif [ ${#checks[@]} -eq 0 ]; then
        checks=("${LINT_ALL[@]}")
    fi

    ensure_build_root
    for word in "${checks[@]}"; do
        lint_check "$word" "${files[@]}" || failed+=("$word")
    done
    [ ${#failed[@]} -eq 0 ] || die "lint: failed: ${failed[*]}"
    say "lint: ${#checks[@]} checks passed"
}

# lint_check NAME [FILE…]   shows the end of the check's output when it fails, and returns its code
lint_check() {
    local name=$1 log="$DAVIT_SOURCE/build/logs/lint-$1.log" rc=0
    try_step "lint: $name" "$log" run_lint_check "$@" || rc=$?
    [ "$rc" -eq 0 ] || tail -n 40 "$log"
    return "$rc"
}

run_lint_check() {
    case $1 in
        gcc13 | clang) run_ninja "$1" ;;
        tidy) run_ninja clang -n && in_root bash scripts/lint.sh "$@" ;;
        *) in_root bash scripts/lint.sh "$@" ;;
    esac
}
