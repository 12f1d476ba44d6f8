//! `just fuzz router`: see [`signet_fuzz::router`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signet_fuzz::router(data));
