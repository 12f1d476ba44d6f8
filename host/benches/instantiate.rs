//! A fresh instance, from the pool of the shipped Engine and back into it, without a host's part in it: what the
//! guest imports is there and traps. Of WASI 0.2 and 0.3 it is the guest of the tests; `linked` is the built-in
//! consumer with its hmac component.

mod guests;
#[path = "../tests/it/support/fixture.rs"]
mod fixture;

use divan::Bencher;
use fixture::fixture;
use signet::builtin;
use signet::runtime::engine::{PoolSize, engine};
use signet::runtime::needs::Needs;
use signet::runtime::reset::{MemoryReset, Reset};
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre, Linker};

fn main() {
    divan::main();
}

fn prepared(bytes: &[u8]) -> InstancePre<()> {
    let size = PoolSize {
        needs: Needs::of(bytes).unwrap(),
        instances: 1000,
        memory: 256 << 20,
        reset: Reset::choose(MemoryReset::Auto),
    };
    let engine = engine(&size).unwrap();
    let component = Component::new(&engine, bytes).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    linker.instantiate_pre(&component).unwrap()
}

fn instantiate(bencher: Bencher<'_, '_>, bytes: &[u8]) {
    let prepared = prepared(bytes);
    bencher.bench_local(|| {
        let mut store = Store::new(prepared.engine(), ());
        store.set_epoch_deadline(u64::MAX / 2);
        futures::executor::block_on(prepared.instantiate_async(&mut store)).unwrap();
        // Giving the memory back is a part of it.
        drop(store);
    });
}

#[divan::bench]
fn hmac_alone(bencher: Bencher<'_, '_>) {
    instantiate(bencher, builtin::component("hmac").unwrap());
}

#[divan::bench]
fn wasi_0_2(bencher: Bencher<'_, '_>) {
    instantiate(
        bencher,
        &std::fs::read(fixture("fixture-guest-p2")).unwrap(),
    );
}

#[divan::bench]
fn wasi_0_3(bencher: Bencher<'_, '_>) {
    instantiate(
        bencher,
        &std::fs::read(fixture("fixture-guest-verify")).unwrap(),
    );
}

#[divan::bench]
fn linked(bencher: Bencher<'_, '_>) {
    instantiate(bencher, &guests::link(&guests::consumer()).bytes);
}
