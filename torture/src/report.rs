//! What a run came to. Comes in: accounts of cycles; goes out: one JSON file and a line for whoever looks. The words of
//! the file are explained in docs/torture/README.md.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::audit::Account;

/// A run, all cycles together. Deliveries are events times the consumers of their app.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) signet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    pub(crate) seed: u64,
    pub(crate) cycles: u32,
    pub(crate) seconds: u64,
    pub(crate) events: u64,
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) lost: u64,
    pub(crate) arrivals: u64,
    pub(crate) duplicates: u64,
    pub(crate) duplicates_unexplained: u64,
    pub(crate) bad_signatures: u64,
    pub(crate) out_of_order: u64,
    pub(crate) falls: u64,
    pub(crate) reposts: u64,
    pub(crate) refusals: u64,
    pub(crate) faults: BTreeMap<String, u64>,
    pub(crate) points_reached: BTreeMap<&'static str, u64>,
    pub(crate) left_out: Vec<String>,
    pub(crate) violations: Vec<String>,
}

impl Report {
    /// Adds a cycle.
    pub(crate) fn add(&mut self, account: Account) {
        self.cycles += 1;
        self.events += account.events;
        self.accepted += account.accepted;
        self.delivered += account.delivered;
        self.dead += account.dead;
        self.lost += account.lost;
        self.arrivals += account.arrivals;
        self.duplicates += account.duplicates;
        self.duplicates_unexplained += account.unexplained;
        self.bad_signatures += account.bad_signatures;
        self.out_of_order += account.out_of_order;
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        format!(
            "torture: {} cycles, {} accepted = {} delivered + {} dead + {} lost, {} duplicates, {} of them unexplained, \
             {} falls, seed {}",
            self.cycles,
            self.accepted,
            self.delivered,
            self.dead,
            self.lost,
            self.duplicates,
            self.duplicates_unexplained,
            self.falls,
            self.seed
        )
    }

    /// Writes the file.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}
