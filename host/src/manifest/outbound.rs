//! Reads `[outbound_http]` and `allow_networks`, which a host's file and a component's table both have.
//! Comes in: a table; goes out: bounds and networks. Never takes a network of everything: it would name
//! nothing, and grant all.

use super::bound::Set;
use super::limits;
use super::reader::Table;
use crate::capability::http::{self, Network};

/// The key.
pub(super) const ALLOW_NETWORKS: &str = "allow_networks";

/// What the table of a host's file says.
#[derive(Default)]
pub(super) struct Outbound {
    pub(super) limits: Set<http::Limits>,
    pub(super) networks: Vec<Network>,
}

/// Reads `[outbound_http]` of a host's file.
pub(super) fn read(root: &Table<'_>) -> Outbound {
    let Some(table) = root.table("outbound_http") else {
        return Outbound::default();
    };
    Outbound {
        limits: Set::read(&table, limits::OUTBOUND, &[ALLOW_NETWORKS]),
        networks: networks(&table),
    }
}

/// The networks beyond the public internet that a table allows.
pub(super) fn networks(table: &Table<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for (text, item) in table.texts(ALLOW_NETWORKS) {
        match text.parse::<Network>() {
            Ok(network) if network.is_everything() => item.mistake(format!(
                "network `{text}` is every address: name the networks that are meant, such as `10.0.0.0/8`"
            )),
            Ok(network) => networks.push(network),
            Err(problem) => item.mistake(format!("network `{text}` {problem}")),
        }
    }
    networks
}
