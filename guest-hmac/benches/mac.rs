//! HMAC-SHA256 natively, by the crates that the component is made of: what the component is measured against.
//! They take the processor's own instructions for SHA-256 where it has them; with
//! `RUSTFLAGS='--cfg sha2_backend="soft"'` they do not.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use guest_hmac::mac;

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
