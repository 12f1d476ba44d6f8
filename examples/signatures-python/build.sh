#!/bin/sh
# Installs the official library for Python into .venv; does nothing when it is there. Exit code 69 when it cannot be
# installed.
set -eu
cd "$(dirname "$0")"

if ! cmp -s requirements.txt .venv/installed; then
    echo "installing standardwebhooks into .venv" >&2
    rm -rf .venv
    { python3 -m venv .venv && .venv/bin/pip install --quiet --require-hashes -r requirements.txt; } || exit 69
    cp requirements.txt .venv/installed
fi
