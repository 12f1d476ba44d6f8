//! HMAC-SHA256 and both versions of Standard Webhooks natively, by the crates that the component is made of: what the
//! component is measured against.
//! They take the processor's own instructions for SHA-256 where it has them; with
//! `RUSTFLAGS='--cfg sha2_backend="soft"'` they do not.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use guest_hmac::mac;
use guest_hmac::standard::{self, Headers, key::Given};
use guest_hmac::timestamp::Clock;

fn main() {
    divan::main();
}

/// Lengths of what is signed.
const SIZES: [usize; 4] = [0, 1 << 10, 64 << 10, 1 << 20];

const KEY: &[u8] = b"a key of thirty-two bytes, it is";

#[divan::bench(args = SIZES)]
fn sign(bencher: Bencher<'_, '_>, size: usize) {
    let data = vec![7; size];
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| mac::sign(black_box(&data), black_box(KEY)));
}

#[divan::bench(args = SIZES)]
fn verify(bencher: Bencher<'_, '_>, size: usize) {
    let data = vec![7; size];
    let tag = mac::sign(&data, KEY).unwrap();
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| mac::verify(black_box(&data), black_box(KEY), black_box(&tag)));
}

/// Both versions, by their names, over a body of 1 KiB.
const VERSIONS: [&str; 2] = ["v1", "v1a"];

fn key(version: &str) -> Given<'static> {
    match version {
        "v1" => Given::Secret(KEY),
        _ => Given::Signing(KEY),
    }
}

#[divan::bench(args = VERSIONS)]
fn standard_sign(bencher: Bencher<'_, '_>, version: &str) {
    let body = [7; 1 << 10];
    bencher.bench_local(|| standard::sign("msg_1", 1, black_box(&body), &[key(version)]));
}

#[divan::bench(args = VERSIONS)]
fn standard_verify(bencher: Bencher<'_, '_>, version: &str) {
    let body = [7; 1 << 10];
    let list = standard::sign("msg_1", 1, &body, &[key(version)]).unwrap();
    let headers = Headers {
        id: Some("msg_1"),
        timestamp: Some("1"),
        signature: Some(&list),
    };
    let clock = Clock {
        now: 1,
        tolerance: 0,
    };
    bencher.bench_local(|| standard::verify(headers, black_box(&body), &[key(version)], clock));
}
