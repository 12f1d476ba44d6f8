#!/bin/sh
# Installs the official library for JavaScript into node_modules; does nothing when it is there. Exit code 69 when it
# cannot be installed.
set -eu
cd "$(dirname "$0")"

if ! cmp -s package-lock.json node_modules/installed; then
    echo "installing standardwebhooks into node_modules" >&2
    npm ci --no-audit --no-fund --loglevel=error >&2 || exit 69
    cp package-lock.json node_modules/installed
fi
