#!/bin/sh
# Builds build/consumer.wasm with tools of its own in node_modules; does nothing when nothing changed. Exit code
# 69 when the tools cannot be installed.
set -eu
cd "$(dirname "$0")"

if ! cmp -s package-lock.json node_modules/installed; then
    echo "installing componentize-js into node_modules" >&2
    npm ci --no-audit --no-fund --loglevel=error >&2 || exit 69
    cp package-lock.json node_modules/installed
fi

shared=../../wit/deps
inputs=$(cat build.sh package-lock.json consumer.js wit/*.wit wit/deps/*/*.wit "$shared"/fermyon-*/*.wit | cksum)
if [ -f build/consumer.wasm ] && [ "$inputs" = "$(cat build/inputs 2>/dev/null)" ]; then
    exit 0
fi

# The tool reads one folder: ours, and the interfaces that our own guests share.
rm -rf build
mkdir build
cp -R wit build/wit
cp -R "$shared"/fermyon-hmac "$shared"/fermyon-spin build/wit/deps
node_modules/.bin/componentize-js consumer.js --wit build/wit --world-name consumer --out build/consumer.wasm
echo "$inputs" >build/inputs
