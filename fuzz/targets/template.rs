//! `just fuzz template`: see [`signet_fuzz::template`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signet_fuzz::template(data));
