//! What every component may have, linked or not: WASI with nothing in it.
//!
//! Owns one list of interface names. A name comes in, yes or no goes out. It never names an
//! interface through which a component could reach anything: those without a way in (types of
//! files, requests and sockets, but no preopened directory, no client and no way to make a socket)
//! are here because others use their types. The list is closed: nothing in it uses a type of an
//! interface outside it.

use super::selector::InterfaceName;

/// Whether an isolated component keeps this import, if the host provides it.
pub(super) fn keeps(import: &str) -> bool {
    let Some(name) = InterfaceName::parse(import) else {
        return false;
    };
    // In WASI 0.2 a socket is made elsewhere; in 0.3 its type has a way to make one.
    let makes_no_socket = name
        .version
        .is_some_and(|version| version.major == 0 && version.minor == 2);
    let interface = name.interface.as_str();
    match name.package.as_str() {
        "wasi:io" | "wasi:clocks" | "wasi:random" => true,
        "wasi:cli" => {
            matches!(interface, "stdin" | "stdout" | "stderr" | "exit" | "types")
                || interface.starts_with("terminal-")
        }
        "wasi:filesystem" | "wasi:http" => interface == "types",
        "wasi:sockets" => {
            makes_no_socket && matches!(interface, "network" | "instance-network" | "tcp" | "udp")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::keeps;

    #[test]
    fn time_and_streams_are_kept() {
        for kept in [
            "wasi:io/streams@0.2.6",
            "wasi:clocks/monotonic-clock@0.3.0",
            "wasi:random/random@0.2.0",
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/terminal-input@0.2.0",
            "wasi:http/types@0.2.0",
            "wasi:sockets/tcp@0.2.0",
        ] {
            assert!(keeps(kept), "{kept}");
        }
    }

    #[test]
    fn every_way_in_is_not() {
        for denied in [
            "wasi:cli/environment@0.2.0",
            "wasi:cli/environment@0.3.0",
            "wasi:filesystem/preopens@0.2.0",
            "wasi:sockets/tcp-create-socket@0.2.0",
            "wasi:sockets/ip-name-lookup@0.2.0",
            "wasi:sockets/types@0.3.0",
            "wasi:http/outgoing-handler@0.2.0",
            "wasi:http/client@0.3.0",
            "wasi:http/handler@0.3.0",
            "wasi:keyvalue/store@0.2.0-draft",
            "spin:sqlite/sqlite@3.1.0",
            "fermyon:spin/key-value@2.0.0",
            "wasi:config/store@0.2.0-rc.1",
            "wasi:io",
            "streams",
        ] {
            assert!(!keeps(denied), "{denied}");
        }
    }
}
