#!/bin/sh
# Builds build/guest.wasm with tools of its own in .venv.
set -eu
cd "$(dirname "$0")"

if ! cmp -s requirements.txt .venv/installed; then
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --require-hashes -r requirements.txt
    cp requirements.txt .venv/installed
fi
mkdir -p build
VIRTUAL_ENV=$PWD/.venv .venv/bin/componentize-py --wit-path wit \
    --world spin:up/http-trigger@4.1.0 --world local:guest/guest \
    componentize app --output build/guest.wasm
