#!/bin/sh
# Builds build/consumer.wasm with tools of its own in .venv; does nothing when nothing changed. Exit code 69
# when the tools cannot be installed.
set -eu
cd "$(dirname "$0")"

if ! cmp -s requirements.txt .venv/installed; then
    echo "installing componentize-py and the Spin SDK into .venv" >&2
    rm -rf .venv
    { python3 -m venv .venv && .venv/bin/pip install --quiet --require-hashes -r requirements.txt; } || exit 69
    cp requirements.txt .venv/installed
fi

hmac=../../wit/deps/fermyon-hmac
inputs=$(cat build.sh requirements.txt ./*.py wit/*.wit "$hmac"/*.wit | cksum)
if [ -f build/consumer.wasm ] && [ "$inputs" = "$(cat build/inputs 2>/dev/null)" ]; then
    exit 0
fi

mkdir -p build
# The SDK's world, and ours beside it: the bindings of both are made on the way.
VIRTUAL_ENV=$PWD/.venv .venv/bin/componentize-py --wit-path "$hmac" --wit-path wit \
    --world spin:up/http-trigger@4.1.0 --world example:consumer-python/webhook-consumer \
    componentize consumer --output build/consumer.wasm
echo "$inputs" >build/inputs
