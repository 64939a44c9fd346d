# shellcheck shell=bash
# Runs commands in the build root. Only the mount namespace is new: network and processes are the host's, so that
# servers, devices and several ./dev at a time see each other.

ROOT_ENVIRONMENT=(
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
    CCACHE_DIR=/ccache CCACHE_BASEDIR=/src CCACHE_MAXSIZE=5G CCACHE_SLOPPINESS=pch_defines,time_macros
    MAVEN_ARGS=-Dmaven.repo.local=/m2
    DAVIT_DEVICE_ROOT=/cache/device-root DAVIT_HAWKBIT_JAR=/cache/hawkbit.jar
)

# in_root CMD...   the checkout is /src, the cache is /cache
in_root() {
    local root lock name environment=("${ROOT_ENVIRONMENT[@]}")
    # Nothing else of the caller's environment gets in: what is built and tested must not depend on it.
    for name in TERM http_proxy https_proxy no_proxy SOURCE_DATE_EPOCH GTEST_FILTER PYTEST_ADDOPTS ${!DAVIT_TEST_@}; do
        [ -z "${!name:-}" ] || environment+=("$name=${!name}")
    done
    root=$(build_root)
    mkdir -p "$DAVIT_CACHE"/{ccache,m2,run,log,device-root}
    [ -e "$DAVIT_CACHE/hawkbit.jar" ] || : >"$DAVIT_CACHE/hawkbit.jar"
    # Shared lock, inherited by everything that runs inside: the root is not removed under it.
    exec {lock}>"$root.lock"
    flock --shared "$lock"
    env -i "${environment[@]}" \
        unshare --mount --propagation private bash "$DAVIT_SOURCE/scripts/enter-root.sh" \
        "$root" "$DAVIT_SOURCE" "$DAVIT_CACHE" "$(device_root)" "${HAWKBIT_JAR:-}" "$@"
}
