#!/bin/sh
# Makes a virtual environment that holds exactly what a hashed lock lists.
#
#   environment.sh DIRECTORY LOCK [PACKAGE]
#
# PACKAGE is a folder of this repository to install as it stands there (editable). The interpreter is $PYTHON if that is set, else the
# first of the candidates below that is new enough. The file DIRECTORY/.ready is written last: an interrupted run leaves none, and the
# next one begins anew. All talk goes to stderr, because `make token` owns stdout.
set -eu

directory=$1
lock=$2
package=${3:-}
candidates="python3 python3.13 python3.12 python3.11"

fail() {
    echo "$1" >&2
    exit 1
}

version_of() {
    # Prints nothing for a name that does not exist or does not run.
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

choose_interpreter() {
    if [ -n "${PYTHON:-}" ]; then
        version=$(version_of "$PYTHON")
        [ -n "$version" ] || fail "PYTHON=$PYTHON does not run; name a Python 3.11 or newer."
        new_enough "$PYTHON" || fail "PYTHON=$PYTHON is Python $version; name a Python 3.11 or newer."
        python=$PYTHON
        return
    fi
    found=
    for candidate in $candidates; do
        version=$(version_of "$candidate")
        [ -n "$version" ] || continue
        found="$found${found:+, }$candidate is $version"
        if new_enough "$candidate"; then
            python=$candidate
            return
        fi
    done
    fail "Python 3.11 or newer is needed, but ${found:-none of $candidates runs}; install one, or name one with PYTHON=<path>."
}

choose_interpreter
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python ($version) cannot make virtual environments; \
install the package python${version%.*}-venv (Debian, Ubuntu), or name another Python with PYTHON=<path>."

echo "installing $lock into $directory with Python $version (the first time takes a minute or two)" >&2
# Environments inside this one stay: each has a lock and a mark of its own.
if [ -d "$directory" ]; then
    find "$directory" -mindepth 1 -maxdepth 1 ! -exec test -e '{}/pyvenv.cfg' \; -exec rm -rf {} +
fi
"$python" -m venv "$directory" >&2
pip() {
    "$directory/bin/python" -m pip install -qq --disable-pip-version-check "$@" >&2 ||
        fail "Installing into $directory failed; pip's own words are above. Run the same again to retry."
}
pip --require-hashes -r "$lock"
if [ -n "$package" ]; then
    # Its dependencies are in the lock, and so is what builds it.
    pip --no-deps --no-build-isolation --editable "$package"
fi
echo "$version" >"$directory/.ready"
