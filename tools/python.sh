#!/bin/sh
# Prints the Python that environments are made with: PYTHON where it is set, else the newest of the supported versions on this machine.
# One without `venv` and `ensurepip`, which Debian and Ubuntu keep in a package of their own, cannot make one and is passed over.
set -u

newest=14
oldest=11

# The version of a Python such as `3.13`, where it is supported and can make environments.
version() {
    "$1" -I -c "
import sys, venv, ensurepip
if sys.version_info[0] != 3 or not $oldest <= sys.version_info[1] <= $newest: raise SystemExit(1)
print('%d.%d' % sys.version_info[:2])" 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    if [ -z "$(version "$PYTHON")" ]; then
        echo "PYTHON=$PYTHON is not Python 3.$oldest to 3.$newest with its modules venv and ensurepip: name another, or leave PYTHON out." >&2
        exit 1
    fi
    echo "$PYTHON"
    exit 0
fi

plain=$(version python3)
minor=$newest
while [ "$minor" -ge "$oldest" ]; do
    for candidate in "python3.$minor" python3; do
        found=$plain
        [ "$candidate" = python3 ] || found=$(version "$candidate")
        if [ "$found" = "3.$minor" ]; then
            command -v "$candidate"
            exit 0
        fi
    done
    minor=$((minor - 1))
done

echo "No Python 3.$oldest to 3.$newest with its modules venv and ensurepip was found. Install one, such as Debian's packages" \
    "python3 and python3-venv, or name one: make PYTHON=/path/to/python3.$newest" >&2
exit 1
