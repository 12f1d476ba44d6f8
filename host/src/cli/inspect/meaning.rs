//! What an import means on this host: what stands behind it, and which key of a manifest opens it. Comes
//! in: an import's name; goes out: words. Never decides who provides it: the linker does.

/// Whether an import has types and nothing to call: these are there for everybody.
pub(super) fn only_types(import: &str) -> bool {
    import.starts_with("fermyon:spin/rdbms-types@")
}

/// What stands behind an interface that the host provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    /// In a few words.
    pub(super) what: &'static str,
    /// What has to be granted before a call of it gets anywhere.
    pub(super) grant: Option<Grant>,
}

/// The keys of `[component.NAME]` that open something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grant {
    KeyValue,
    Sqlite,
    Outbound,
    Variables,
}

const STORES: Meaning = Meaning {
    what: "durable stores, those that `key_value_stores` names",
    grant: Some(Grant::KeyValue),
};
const DATABASES: Meaning = Meaning {
    what: "SQLite databases, those that `sqlite_databases` names",
    grant: Some(Grant::Sqlite),
};
const VARIABLES: Meaning = Meaning {
    what: "what `[component.NAME.variables]` gives",
    grant: Some(Grant::Variables),
};

/// The meaning of an import; none for one that means nothing to this host.
pub(super) fn of(import: &str) -> Option<Meaning> {
    let path = import.split_once('@').map_or(import, |(path, _)| path);
    let (package, interface) = path.split_once('/')?;
    let open = |what| Some(Meaning { what, grant: None });
    match (package, interface) {
        ("wasi:io", _) => open("streams and waiting"),
        ("wasi:clocks", _) => open("clocks"),
        ("wasi:random", _) => open("randomness"),
        ("wasi:filesystem", _) => open("the files that `files` names, to be read"),
        ("wasi:sockets", _) => open("refused: there are no sockets, use wasi:http"),
        ("wasi:cli", "environment") => open("what `environment` names"),
        ("wasi:cli", "stdin") => open("empty"),
        ("wasi:cli", "stdout" | "stderr") => open("lines in the host's output"),
        ("wasi:cli", "exit") => open("ends the instance"),
        ("wasi:cli", "types") => open("what can go wrong with a stream"),
        ("wasi:cli", _) => open("there is no terminal"),
        ("wasi:http", "outgoing-handler" | "client") => Some(Meaning {
            what: "requests to hosts that `allowed_outbound_hosts` names",
            grant: Some(Grant::Outbound),
        }),
        ("wasi:http", _) => open("requests, responses and their bodies"),
        ("spin:key-value", _) | ("wasi:keyvalue", _) | ("fermyon:spin", "key-value") => {
            Some(STORES)
        }
        ("spin:sqlite", _) | ("fermyon:spin", "sqlite") => Some(DATABASES),
        ("spin:variables", _) | ("wasi:config", _) | ("fermyon:spin", "variables") => {
            Some(VARIABLES)
        }
        ("signet:queue", "queue") => open("durable queues, those that `tool.signet.queue` names"),
        ("signet:queue", "types") => open("the words of a queue"),
        ("fermyon:spin", "rdbms-types") => open("types that other interfaces use"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::runtime::linker;

    #[test]
    fn everything_that_is_provided_has_a_meaning() {
        for name in linker::provided() {
            assert!(of(&name).is_some(), "{name}");
        }
    }
}
