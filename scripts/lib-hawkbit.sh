# shellcheck shell=bash
# The hawkBit of the demo and the tests: built from hawkbit/server into the cache, or the jar that DAVIT_HAWKBIT_JAR names.

hawkbit_jar() {
    if [ -n "${DAVIT_HAWKBIT_JAR:-}" ]; then
        realpath -- "$DAVIT_HAWKBIT_JAR"
    else
        printf '%s/hawkbit-%s.jar\n' "$DAVIT_CACHE" "$(hash_of_hawkbit_sources)"
    fi
}

hash_of_hawkbit_sources() {
    (cd "$DAVIT_SOURCE/hawkbit/server" && find pom.xml src -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
        sha256sum | cut -c1-12
}

ensure_hawkbit() {
    local jar lock
    jar=$(hawkbit_jar)
    if [ -n "${DAVIT_HAWKBIT_JAR:-}" ]; then
        [ -f "$jar" ] || die "DAVIT_HAWKBIT_JAR: no such file: $DAVIT_HAWKBIT_JAR"
        return
    fi
    if [ ! -f "$jar" ]; then
        # One build at a time: checkouts share Maven's repository.
        exec {lock}>"$DAVIT_CACHE/hawkbit.making"
        flock "$lock"
        if [ ! -f "$jar" ]; then
            find "$DAVIT_CACHE" -maxdepth 1 -name 'hawkbit-*' -mtime +2 -exec rm -rf {} +
            step "hawkBit jar (Maven)" "$DAVIT_CACHE/log/hawkbit.log" in_root bash -c "$BUILD_HAWKBIT" - "$jar.tmp"
            mv "$jar.tmp" "$jar"
        fi
        exec {lock}>&-
    fi
    touch "$jar" # in use: not old
}

# Runs in the root, away from the checkout, which stays as it is.
# shellcheck disable=SC2016 # expanded there
BUILD_HAWKBIT='
    set -e
    work=$(mktemp -d /cache/hawkbit-build.XXXXXX)
    trap "rm -rf $work" EXIT
    cp -r /src/hawkbit/server/pom.xml /src/hawkbit/server/src "$work"
    cd "$work"
    mvn -B -ntp -DskipTests package
    mv target/davit-hawkbit.jar "/cache/$(basename "$1")"
'
