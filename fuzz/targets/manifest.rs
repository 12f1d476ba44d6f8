//! `just fuzz manifest`: see [`signet_fuzz::manifest`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signet_fuzz::manifest(data));
