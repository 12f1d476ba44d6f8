//! What this host knows and does not have: the interfaces of whole platforms, which SDKs import whether or not
//! a guest uses them. Comes in: an import's name; goes out: what each call of it is told. Never answers a call
//! itself: a component made of the guest's own types does, so that any version of these interfaces is refused
//! in its own words.

/// Package, interfaces, and what a call is told. Versions do not matter: whichever a guest was built for, the
/// answer is the same.
pub const REFUSED: &[(&str, &[&str], &str)] = &[
    (
        "fermyon:spin",
        &["llm"],
        "this host runs no language models: call one over wasi:http",
    ),
    (
        "fermyon:spin",
        &["redis"],
        "this host has no client of Redis: use key-value",
    ),
    (
        "fermyon:spin",
        &["mqtt"],
        "this host has no client of MQTT: publish over wasi:http",
    ),
    (
        "fermyon:spin",
        &["mysql"],
        "this host has no client of MySQL: use SQLite",
    ),
    (
        "fermyon:spin",
        &["postgres"],
        "this host has no client of PostgreSQL: use SQLite",
    ),
    (
        "spin:redis",
        &["redis"],
        "this host has no client of Redis: use key-value",
    ),
    (
        "spin:mqtt",
        &["mqtt"],
        "this host has no client of MQTT: publish over wasi:http",
    ),
    (
        "spin:mysql",
        &["mysql"],
        "this host has no client of MySQL: use SQLite",
    ),
    (
        "spin:postgres",
        &["postgres"],
        "this host has no client of PostgreSQL: use SQLite",
    ),
];

/// What a call of the interface `name` is told; none if the host does not know it.
pub fn words(name: &str) -> Option<&'static str> {
    let path = name.split_once('@').map_or(name, |(path, _)| path);
    let (package, interface) = path.split_once('/')?;
    REFUSED
        .iter()
        .find(|(known, interfaces, _)| *known == package && interfaces.contains(&interface))
        .map(|(_, _, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::super::linker::provides;
    use super::{REFUSED, words};

    #[test]
    fn whichever_version_is_refused() {
        for name in [
            "fermyon:spin/redis@2.0.0",
            "spin:postgres/postgres@3.0.0",
            "spin:postgres/postgres@4.2.0",
            "fermyon:spin/llm",
        ] {
            assert!(words(name).is_some(), "{name}");
        }
        for name in [
            "fermyon:spin/sqlite@2.0.0",
            "spin:postgres/other@3.0.0",
            "redis",
        ] {
            assert_eq!(words(name), None, "{name}");
        }
    }

    #[test]
    fn nothing_is_provided_and_refused() {
        for (package, interfaces, _) in REFUSED {
            for interface in *interfaces {
                for version in ["2.0.0", "3.0.0", "3.1.0", "4.2.0"] {
                    let name = format!("{package}/{interface}@{version}");
                    assert!(!provides(&name), "{name}");
                }
            }
        }
    }
}
