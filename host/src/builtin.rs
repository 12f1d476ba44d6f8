//! The built-in app: the three guests, their manifests and the `signet.toml` that runs them, embedded
//! by the build script so that the binary needs no file beside it. Comes in: a file's name; goes out:
//! its bytes. Never reads a disk.

use std::path::Path;

/// The path that stands for the built-in `signet.toml` in messages.
pub const MANIFEST: &str = "signet.toml";

macro_rules! guest {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm"))
    };
}

/// The embedded components by the name that `builtin:NAME` uses.
pub const COMPONENTS: &[(&str, &[u8])] = &[
    ("hmac", guest!("hmac")),
    ("producer", guest!("producer")),
    ("consumer", guest!("consumer")),
];

macro_rules! text {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../", $path)) as &[u8])
    };
}

const FILES: &[(&str, &[u8])] = &[
    text!("signet.toml"),
    text!("guest-producer/spin.toml"),
    text!("guest-consumer/spin.toml"),
    text!("guest-producer/migrations/0001-registrations.sql"),
    text!("guest-producer/migrations/0002-registration-state.sql"),
    text!("guest-producer/migrations/0003-delivery.sql"),
    text!("guest-producer/migrations/0004-rotation.sql"),
    text!("guest-producer/migrations/0005-wishes.sql"),
    text!("guest-producer/migrations/0006-headers.sql"),
    text!("guest-consumer/migrations/0001-deliveries.sql"),
];

/// The embedded component with this name.
pub fn component(name: &str) -> Option<&'static [u8]> {
    COMPONENTS
        .iter()
        .find(|(have, _)| *have == name)
        .map(|(_, bytes)| *bytes)
}

/// The embedded file at `path`, relative to the project's root: a manifest, a migration, or a component
/// as `target/guests/NAME.wasm`, which is where the manifests look for it.
pub fn file(path: &Path) -> Option<&'static [u8]> {
    let path = normal(path);
    if let Some(name) = path
        .strip_prefix("target/guests/")
        .and_then(|file| file.strip_suffix(".wasm"))
    {
        return component(name);
    }
    FILES
        .iter()
        .find(|(have, _)| *have == path)
        .map(|(_, bytes)| *bytes)
}

/// `a/../b` as `b`: the manifests name files relative to their own folder.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.iter().filter_map(|part| part.to_str()) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_find_what_they_name() {
        for path in [
            "signet.toml",
            "guest-producer/spin.toml",
            "guest-producer/../target/guests/hmac.wasm",
            "./guest-consumer/spin.toml",
        ] {
            assert!(file(Path::new(path)).is_some(), "{path}");
        }
        assert!(file(Path::new("guest-producer/../Cargo.toml")).is_none());
    }
}
