# shellcheck shell=bash
# ./dev test: runs the tiers one after the other and adds up what they counted.

TIERS=(lint unit asan crash contract device)

help_test() {
    cat <<END
usage: ./dev test [TIER…] [--states N] [--seed S] [--state K] [--recording DIR] [--updates N] [--minutes N]

Tiers: ${TIERS[*]} (all when none is named; tsan, fleet, faults and soak only by name).
  lint      format, shellcheck, includes, length, gcc 13
  unit      every room by itself (gcc 14)
  asan      the same, built by clang 19 with AddressSanitizer and UndefinedBehaviorSanitizer
  tsan      the same with ThreadSanitizer
  crash     davitd killed everywhere, power cut anywhere, disks that are full or fail
  contract  our clients, and 50 simulated devices, against a real hawkBit
  device    the whole line on a booted device
  fleet     1,000 simulated devices against a hawkBit that is restored from a backup (DAVIT_TEST_FLEET=N: so many)
  faults    broken networks, clocks and disks, all of them: the device tier does a part
  soak      200 updates in a row on one device (--updates N: so many; --minutes N: as many as fit), and what grew
Logs are in build/logs. The last line is "N passed, N failed"; the exit code is 0 if nothing failed and something ran.

Of crash: --states N tries N power cuts (300; 40 when no tier is named), and with 1000 every other fault, too; --seed S chooses the same ones again, --state K only
the K-th, --recording DIR in the writes that an earlier run has kept.

DAVIT_HAWKBIT_JAR=FILE tests against another hawkBit; GTEST_FILTER and PYTEST_ADDOPTS are passed on.
END
}

verb_test() {
    local tier tiers=() passed=0 failed=0 skipped=0
    while [ $# -gt 0 ]; do
        case $1 in
            --states | --seed | --state | --recording | --updates | --minutes)
                [ $# -gt 1 ] || usage_error test "$1"
                test_option "$1" "$2"
                shift
                ;;
            -*) usage_error test "$1" ;;
            *)
                case " ${TIERS[*]} tsan fleet soak faults " in *" $1 "*) ;; *) usage_error test "$1" ;; esac
                tiers+=("$1")
                ;;
        esac
        shift
    done
    [ ${#tiers[@]} -gt 0 ] || DAVIT_TEST_STATES=${DAVIT_TEST_STATES:-40}
    set -- "${tiers[@]}"
    [ $# -gt 0 ] || set -- "${TIERS[@]}"

    LOGS=$DAVIT_SOURCE/build/logs
    mkdir -p "$LOGS"
    # In a subshell: a set-up that fails is a failed test, not the end without a result.
    (ensure_build_root) || set --
    [ $# -gt 0 ] || failed=1
    SECONDS=0
    for tier in "$@"; do
        say "$tier ($SECONDS s):"
        PASSED=0 FAILED=0 SKIPPED=0
        "tier_$tier"
        say "  $tier: $(counts "$PASSED" "$FAILED" "$SKIPPED")"
        passed=$((passed + PASSED)) failed=$((failed + FAILED)) skipped=$((skipped + SKIPPED))
    done
    say "all of $* in $SECONDS s"
    counts "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# Handed into the root by their names (in_root).
# shellcheck disable=SC2034
test_option() {
    case $1 in
        --states) DAVIT_TEST_STATES=$2 ;;
        --seed) DAVIT_TEST_SEED=$2 ;;
        --state) DAVIT_TEST_STATE=$2 ;;
        --recording) DAVIT_TEST_RECORDING=$2 ;;
        --updates) DAVIT_TEST_UPDATES=$2 ;;
        --minutes) DAVIT_TEST_MINUTES=$2 ;;
    esac
}

counts() {
    local skipped=
    [ "$3" -eq 0 ] || skipped=", $3 skipped"
    printf '%s passed, %s failed%s\n' "$1" "$2" "$skipped"
}

tier_lint() {
    local check
    for check in "${LINT_QUICK[@]}"; do
        if lint_check "$check"; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); fi
    done
}

tier_unit() { ctest_tier unit dev; }
tier_asan() { ctest_tier asan asan; }
tier_tsan() { ctest_tier tsan tsan; }

ctest_tier() {
    local tier=$1 preset=$2
    build_for "$tier" "$preset" || return 0
    rm -rf "$DAVIT_SOURCE/build/$preset/results"
    run_and_count "$tier" "build/$preset/results" \
        env UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=suppressions=/src/tests/unit/tsan.supp \
        ctest --test-dir "build/$preset" -L unit -j 2 --output-on-failure --output-junit "/src/build/logs/$tier.xml"
}

tier_crash() {
    build_for crash dev crash_driver crash_shim crash_disk davit-ostree || return 0
    run_and_count crash '' python3 -m pytest tests/crash -v -p no:cacheprovider -n 2 --dist loadgroup --timeout=300 \
        --durations=10 --junitxml=/src/build/logs/crash.xml
    grep -E '^([0-9]+ states: |the longest recovery )' "$LOGS/crash.log" | sed 's/^/  /' || true
}

# The C++ part of the contract tests is built with the unit tests.
tier_contract() { pytest_tier contract dev release; }
tier_fleet() { DAVIT_TEST_FLEET=${DAVIT_TEST_FLEET:-1000} DAVIT_TEST_TIMEOUT=3000 pytest_tier fleet dev; }
# Two at a time: devices wait more than they work. A worker has a lab of its own, with its own hawkBit.
tier_device() { PYTEST_JOBS=${DAVIT_TEST_JOBS:-4} pytest_tier device release; }
# What the device tier does a part of.
tier_faults() { DAVIT_TEST_EVERYTHING=1 PYTEST_JOBS=${DAVIT_TEST_JOBS:-4} pytest_tier faults release; }
tier_soak() {
    if ! (ensure_all) || ! build_for soak release; then
        FAILED=1
        return 0
    fi
    [ -n "${DAVIT_TEST_MINUTES:-}" ] || DAVIT_TEST_UPDATES=${DAVIT_TEST_UPDATES:-200}
    run_and_count soak '' python3 -m pytest tests/device/test_soak.py -v -s -p no:cacheprovider --timeout=0 --junitxml=/src/build/logs/soak.xml
    grep '^soak: ' "$LOGS/soak.log" | sed 's/^soak: /  /' || true
}

pytest_tier() {
    local tier=$1 preset
    shift
    if ! (ensure_all); then
        FAILED=1
        return 0
    fi
    for preset in "$@"; do
        build_for "$tier" "$preset" || return 0
    done
    local places=("tests/$tier")
    [ "$tier" != contract ] || places+=(tests/fleet)
    [ "$tier" != faults ] || places=(tests/device/test_{network,rates,corruption,clock,skew}.py)
    # The time-out is for a test that hangs; tests that wait have shorter ones of their own.
    run_and_count "$tier" '' python3 -m pytest "${places[@]}" -v -p no:cacheprovider --timeout="${DAVIT_TEST_TIMEOUT:-600}" --durations=10 \
        -n "${PYTEST_JOBS:-0}" --dist loadfile --junitxml="/src/build/logs/$tier.xml"
}

# build_for TIER PRESET [TARGET…]   A tier that cannot be built is one failure.
build_for() {
    local log=$LOGS/$1-build-$2.log
    try_step "$1: build $2" "$log" run_ninja "${@:2}" && return
    tail -n 40 "$log"
    FAILED=1
    return 1
}

# run_and_count TIER GTEST_RESULTS|'' CMD...   CMD writes build/logs/TIER.xml
run_and_count() {
    local tier=$1 results=$2 log=$LOGS/$1.log rc=0 report
    shift 2
    rm -f "$LOGS/$tier.xml"
    try_step "$tier: run" "$log" in_root_sweeping "$@" || rc=$?
    report=$(in_root python3 scripts/count-tests "build/logs/$tier.xml" ${results:+"$results"} 2>/dev/null) || report='0 0 0'
    read -r PASSED FAILED SKIPPED <<<"$report"
    # It ended badly, or ran nothing, and no test says so: that is a failure too.
    if [ "$FAILED" -eq 0 ] && { [ "$rc" -ne 0 ] || [ "$PASSED" -eq 0 ]; }; then
        FAILED=1
        tail -n 40 "$log"
    elif [ "$FAILED" -gt 0 ]; then
        tail -n 40 "$log"
        tail -n +2 <<<"$report" | sed 's/^/  FAILED: /'
    fi
}
