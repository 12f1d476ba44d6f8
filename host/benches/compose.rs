//! Linking the built-in consumer with hmac: two components become one, in bytes.

mod guests;

use divan::Bencher;

fn main() {
    divan::main();
}

#[divan::bench]
fn consumer_with_hmac(bencher: Bencher<'_, '_>) {
    let consumer = guests::consumer();
    bencher.bench_local(|| guests::link(&consumer));
}
