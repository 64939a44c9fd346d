# shellcheck shell=bash
# Runs commands in the build root. Only the mount namespace is new: network and processes are the host's, so that
# servers, devices and several ./dev at a time see each other.

# Where a demo or a test run of this checkout records what it started (see verb_clean) and keeps its state.
run_dir() { printf '%s/run/%s\n' "$DAVIT_CACHE" "$(printf '%s' "$DAVIT_SOURCE" | sha256sum | cut -c1-8)"; }

# in_root CMD...   the checkout is /src, the cache is /cache
in_root() {
    local root run lock name environment
    root=$(build_root)
    run=$(run_dir)
    mkdir -p "$DAVIT_CACHE"/{ccache,m2,device-root} "$run"
    [ -e "$DAVIT_CACHE/hawkbit.jar" ] || : >"$DAVIT_CACHE/hawkbit.jar"
    environment=(
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
        CCACHE_DIR=/ccache CCACHE_BASEDIR=/src CCACHE_MAXSIZE=5G "CCACHE_SLOPPINESS=pch_defines,time_macros"
        MAVEN_ARGS=-Dmaven.repo.local=/m2 PYTHONDONTWRITEBYTECODE=1
        # The checkout may belong to another user.
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=/src
        DAVIT_INSIDE=1 DAVIT_DEVICE_ROOT=/cache/device-root DAVIT_HAWKBIT_JAR=/cache/hawkbit.jar
        DAVIT_RUN_DIR="/cache/run/$(basename "$run")"
    )
    # Nothing else of the caller's environment gets in: what is built and tested must not depend on it.
    for name in TERM http_proxy https_proxy no_proxy GTEST_FILTER PYTEST_ADDOPTS DAVIT_SWEEP "${!DAVIT_TEST_@}"; do
        [ -z "${!name:-}" ] || environment+=("$name=${!name}")
    done
    # Shared lock, inherited by everything that runs inside: the root is not removed under it.
    exec {lock}>"$root.lock"
    flock --shared "$lock"
    env -i "${environment[@]}" \
        unshare --mount --propagation private bash "$DAVIT_SOURCE/scripts/enter-root.sh" \
        "$root" "$DAVIT_SOURCE" "$DAVIT_CACHE" "$(device_root)" "$(hawkbit_jar)" "$@"
}

# The same for a run that starts servers and devices: what it forgot to stop is stopped at its end.
in_root_sweeping() { DAVIT_SWEEP=1 in_root "$@"; }
