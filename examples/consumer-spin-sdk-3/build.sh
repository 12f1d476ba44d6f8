#!/bin/sh
# Builds the component into target/wasm32-wasip1/release. Exit code 69 when the target or the crates cannot be had.
set -eu
cd "$(dirname "$0")"

libdir=$(rustc --print target-libdir --target wasm32-wasip1)
[ -d "$libdir" ] || rustup target add wasm32-wasip1 || exit 69
cargo fetch --quiet --locked || exit 69
cargo build --quiet --release --locked --target wasm32-wasip1
