//! `just fuzz component`: see [`signet_fuzz::component`].

#![no_main]

// Linking catches the assertions of the libraries that it calls; libFuzzer's hook would end the
// process at the first. A panic that gets through ends it still.
libfuzzer_sys::fuzz_target!(
    init: drop(std::panic::take_hook()),
    |data: &[u8]| signet_fuzz::component(data)
);
