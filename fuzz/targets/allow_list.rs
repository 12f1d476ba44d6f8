//! `just fuzz allow_list`: see [`signet_fuzz::allow_list`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signet_fuzz::allow_list(data));
