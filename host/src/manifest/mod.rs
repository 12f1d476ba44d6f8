//! The app manifest: Spin's `spin.toml` (version 2) and our own `signet.toml`.
