# Everything a person does here, by name. `just` alone lists it.

_list:
    @just --list

# Serve the built-in app: the producer on 127.0.0.1:3000, the consumer on 127.0.0.1:3002.
run-host:
    cargo run --release

# Register, fire and tamper once, on free ports.
demo:
    cargo run --release -- demo

# Register the built-in consumer at the running producer.
register-consumer:
    curl -sS -X DELETE http://127.0.0.1:3000/registrations
    curl -sS -X POST http://127.0.0.1:3000/registrations -H 'content-type: application/json' \
        -d '{"url": "http://localhost:3002/target", "event": "*"}'

# Send a signed event to every registered consumer.
fire-webhook:
    curl -sS -X POST http://127.0.0.1:3000/fire

# Build the consumer in Python and serve it in the loop, on 127.0.0.1:3002, in place of the one in Rust.
example-python: (_example "consumer-python")

# The same with the one in JavaScript.
example-javascript: (_example "consumer-javascript")

# Serve the consumer on spin-sdk 7 beside our producer, in place of our own consumer.
example-spin-sdk-7: (_example "consumer-spin-sdk-7")

# Serve the consumer on spin-sdk 3, a core module, beside our producer, in place of our own consumer.
example-spin-sdk-3: (_example "consumer-spin-sdk-3")

# Serve the plain component of wasi:http on 127.0.0.1:3002, beside our producer.
example-hello: (_example "hello-wasi-http")

# Our producer with one of the examples as its consumer; the token is new each time and known to both.
_example folder:
    sh examples/{{folder}}/build.sh
    SPIN_VARIABLE_ENROLMENT_TOKEN="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" \
        cargo run --release -- run guest-producer/spin.toml examples/{{folder}}/spin.toml \
        --listen 127.0.0.1:3000 --listen 127.0.0.1:3002 --state-dir .signet/{{folder}}

# Build the three guests into target/guests.
build-guests:
    cargo build --release --package signet

# Build the hmac component with cargo-component (`cargo install cargo-component@0.21.1 --locked`).
build-hmac-component:
    cd guest-hmac && RUSTFLAGS=-Ctarget-feature=+simd128 \
        cargo component build --release --target wasm32-unknown-unknown

# All tests.
test:
    cargo test --workspace

# Measure the parts: instances, hmac, linking, routes, storage. HMAC also natively, with the processor's own
# instructions for SHA-256 and without them.
bench:
    cargo bench --package signet --bench '*'
    cargo bench --package guest-hmac --bench mac
    RUSTFLAGS='--cfg sha2_backend="soft"' cargo bench --package guest-hmac --bench mac --target-dir target/soft

# Feed manifest, router, template, allow_list or component anything, until one falls: needs nightly, and
# `cargo install cargo-fuzz@0.13.2 --locked`.
fuzz target:
    cargo +nightly fuzz run --features libfuzzer {{target}}

# Measure against `wasmtime serve` and native code: `just compare --quick`, or `--only CASE` for one of the cases. Takes
# half an hour without either, and installs the tools it needs into ~/.cache/signet-bench the first time.
compare *args:
    cargo build --profile dist --package signet
    cargo run --profile dist --package signet-bench -- compare {{args}}

# Hurt the host a thousand times, and hold what its consumers saw against what it had accepted: docs/torture. Takes
# half an hour with the build; `just torture --seed N` repeats the faults of a run.
torture *args: (_torture "--profile dist" "dist" "--cycles 1000 --report docs/torture/report.json" args)

# The same fifty times: every fault at least once. Takes a minute or two.
torture-quick *args: (_torture "" "debug" "--cycles 50" args)

# The host with the places where it can be made to fall has a name of its own: nobody takes it for the usual one.
_torture profile folder cycles args:
    cargo build {{profile}} --package signet --features failpoints
    mv target/{{folder}}/signet target/{{folder}}/signet-failpoints
    cargo run {{profile}} --package signet-torture -- --signet target/{{folder}}/signet-failpoints {{cycles}} {{args}}

# Format and lint, warnings denied.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# What CI runs.
ci:
    bash .ci/run
