//! The one list of what the host gives to guests. Comes in: an Engine; goes out: a Linker, and the
//! names of the interfaces it serves. A new capability adds a line to each half.

use semver::Version;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::compose::Host;
use super::refused;
use super::state::State;
use crate::capability::{keyvalue, queue, sqlite, variables};

/// A Linker with everything the host serves.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    sqlite::add_to_linker(&mut linker, |state: &mut State| sqlite::View {
        ctx: &mut state.sqlite,
        table: &mut state.table,
    })?;
    keyvalue::add_to_linker(&mut linker, |state: &mut State| keyvalue::View {
        ctx: &mut state.keyvalue,
        table: &mut state.table,
    })?;
    variables::add_to_linker(&mut linker, |state: &mut State| variables::View {
        variables: &state.variables,
    })?;
    queue::add_to_linker(&mut linker, |state: &mut State| queue::View {
        ctx: &mut state.queue,
    })?;
    Ok(linker)
}

/// Package, version, interfaces.
const PROVIDED: &[(&str, &str, &[&str])] = &[
    ("wasi:io", "0.2.12", &["error", "poll", "streams"]),
    ("wasi:clocks", "0.2.12", &["monotonic-clock", "wall-clock"]),
    (
        "wasi:random",
        "0.2.12",
        &["random", "insecure", "insecure-seed"],
    ),
    ("wasi:filesystem", "0.2.12", &["types", "preopens"]),
    (
        "wasi:sockets",
        "0.2.12",
        &[
            "network",
            "instance-network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
            "ip-name-lookup",
        ],
    ),
    (
        "wasi:cli",
        "0.2.12",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:http", "0.2.12", &["types", "outgoing-handler"]),
    (
        "wasi:clocks",
        "0.3.0",
        &["types", "monotonic-clock", "system-clock"],
    ),
    (
        "wasi:random",
        "0.3.0",
        &["random", "insecure", "insecure-seed"],
    ),
    ("wasi:filesystem", "0.3.0", &["types", "preopens"]),
    ("wasi:sockets", "0.3.0", &["types", "ip-name-lookup"]),
    (
        "wasi:cli",
        "0.3.0",
        &[
            "types",
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:http", "0.3.0", &["types", "client"]),
    ("spin:sqlite", "3.1.0", &["sqlite"]),
    ("spin:key-value", "3.0.0", &["key-value"]),
    ("spin:variables", "3.0.0", &["variables"]),
    (
        "wasi:keyvalue",
        "0.2.0-draft",
        &["store", "atomics", "batch"],
    ),
    (
        "wasi:keyvalue",
        "0.2.0-draft2",
        &["store", "atomics", "batch"],
    ),
    (
        "fermyon:spin",
        "2.0.0",
        &["key-value", "sqlite", "variables"],
    ),
    ("wasi:config", "0.2.0-rc.1", &["store"]),
    ("wasi:config", "0.2.0-draft-2024-09-27", &["store"]),
    ("wasi:config", "0.2.0-draft", &["store", "runtime"]),
    ("signet:queue", "0.1.0", &["types", "queue"]),
];

/// This host, to whoever links components for it.
#[derive(Debug, Clone, Copy)]
pub struct Served;

impl Host for Served {
    fn provides(&self, import: &str) -> bool {
        provides(import)
    }

    fn refuses(&self, import: &str) -> Option<&'static str> {
        refused::words(import)
    }

    fn versions(&self, import: &str) -> Vec<&'static str> {
        versions(import)
    }
}

/// Whether the host serves the interface `name`, such as `wasi:http/types@0.2.3`. Released versions
/// of one semver track serve each other, as in Wasmtime's Linker; a pre-release serves only itself.
pub fn provides(name: &str) -> bool {
    let Some((path, version)) = name.split_once('@') else {
        return false;
    };
    let (Some((package, interface)), Ok(wanted)) = (path.split_once('/'), Version::parse(version))
    else {
        return false;
    };
    PROVIDED.iter().any(|(have, version, interfaces)| {
        *have == package
            && interfaces.contains(&interface)
            && Version::parse(version).is_ok_and(|have| same_track(&have, &wanted))
    })
}

/// The names of all interfaces that the host serves.
pub fn provided() -> impl Iterator<Item = String> {
    PROVIDED.iter().flat_map(|(package, version, interfaces)| {
        interfaces
            .iter()
            .map(move |interface| format!("{package}/{interface}@{version}"))
    })
}

/// The versions in which the host serves the interface `name`, whichever that name has.
pub fn versions(name: &str) -> Vec<&'static str> {
    let path = name.split_once('@').map_or(name, |(path, _)| path);
    let Some((package, interface)) = path.split_once('/') else {
        return Vec::new();
    };
    PROVIDED
        .iter()
        .filter(|(have, _, interfaces)| *have == package && interfaces.contains(&interface))
        .map(|(_, version, _)| *version)
        .collect()
}

fn same_track(have: &Version, wanted: &Version) -> bool {
    if !have.pre.is_empty() || !wanted.pre.is_empty() {
        return have == wanted;
    }
    match (have.major, have.minor) {
        (0, 0) => have == wanted,
        (0, minor) => (wanted.major, wanted.minor) == (0, minor),
        (major, _) => wanted.major == major,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_versions_of_a_track_are_provided_and_others_are_not() {
        for name in [
            "wasi:http/types@0.2.0",
            "wasi:io/poll@0.2.99",
            "wasi:http/client@0.3.0",
            "spin:sqlite/sqlite@3.0.0",
        ] {
            assert!(provides(name), "{name}");
        }
        for name in [
            "wasi:http/types@0.3.0-rc-2026-03-15",
            "wasi:http/types@0.4.0",
            "spin:sqlite/sqlite@4.0.0",
            "wasi:keyvalue/store@0.2.0-draft3",
            "wasi:keyvalue/store@0.2.0",
            "fermyon:hmac/sign@0.1.0",
            "wasi:http/types",
            "nonsense",
        ] {
            assert!(!provides(name), "{name}");
        }
    }

    const TYPES_ALONE: [&str; 3] = [
        "wasi:cli/types@0.3.0",
        "wasi:clocks/types@0.3.0",
        "signet:queue/types@0.1.0",
    ];

    #[test]
    fn every_provided_interface_is_in_the_linker() {
        let engine = Engine::default();
        let mut linker = linker(&engine).unwrap();
        for (package, version, interfaces) in PROVIDED {
            for interface in *interfaces {
                let name = format!("{package}/{interface}@{version}");
                // An interface without functions and resources has nothing to be in the linker.
                if TYPES_ALONE.contains(&name.as_str()) {
                    continue;
                }
                // Wasmtime has no look-up by name, but it refuses to define a name twice.
                let free = linker.root().func_wrap(&name, |_, (): ()| Ok(())).is_ok();
                assert!(!free, "{name} is in the table and not in the linker");
            }
        }
    }
}
