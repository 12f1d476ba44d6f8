//! The hmac component, called from the host: the hash, and what it costs to get there and back. Compare with
//! `cargo bench -p guest-hmac`, which is the same without WebAssembly.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use signet::runtime::signer::Signer;

fn main() {
    divan::main();
}

/// Lengths of what is signed.
const SIZES: [usize; 4] = [0, 1 << 10, 64 << 10, 1 << 20];

const KEY: &[u8] = b"a key of thirty-two bytes, it is";

#[divan::bench(args = SIZES)]
fn sign(bencher: Bencher<'_, '_>, size: usize) {
    let mut signer = Signer::new().unwrap();
    let data = vec![7; size];
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| signer.sign(black_box(&data), black_box(KEY)).unwrap());
}

#[divan::bench(args = SIZES)]
fn verify(bencher: Bencher<'_, '_>, size: usize) {
    let mut signer = Signer::new().unwrap();
    let data = vec![7; size];
    let tag = signer.sign(&data, KEY).unwrap().unwrap();
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        signer
            .verify(black_box(&data), black_box(KEY), black_box(&tag))
            .unwrap()
    });
}
