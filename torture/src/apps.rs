//! What the host runs: two apps of the same producer, one whose lanes are in order and one whose are not, each with
//! consumers of its own. Comes in: where the guests and the consumers are; goes out: manifests. Never starts anything.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The apps by name.
pub(crate) const APPS: [&str; 2] = ["ordered", "free"];

/// How many consumers each app has.
pub(crate) const LANES: usize = 2;

/// How long an attempt may take at the host, in milliseconds.
pub(crate) const TIMEOUT_MS: u64 = 1500;

/// How long the producer itself gives it: less, since the host ends an instance that is late, with all that it does.
pub(crate) const DELIVERY_MS: u64 = 1000;

/// How long a lease holds, in milliseconds: longer than a disk is full, so that what was done in that time can still
/// be stored, and is not done twice.
const LEASE_MS: u64 = 8000;

/// How long what has ended is remembered, in milliseconds: longer than the clock is ever set ahead or back, so that the
/// audit can still ask for it; and not longer, so that the disk has room for any number of cycles.
const KEEP_MS: u64 = 15 * 60 * 1000;

/// The producer's own files.
const MIGRATIONS: &str = "guest-producer/migrations";

/// Writes the manifests into a folder; `consumers` in the order of their lanes.
pub(crate) fn write(folder: &Path, guests: &Path, consumers: &[SocketAddr]) -> Result<()> {
    let guests = guests
        .canonicalize()
        .with_context(|| format!("{} is not there: build the host first", guests.display()))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let mut migrations: Vec<_> = std::fs::read_dir(root.join(MIGRATIONS))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    migrations.sort();
    // Little time for what is on its way when the host is told to stop: some of it has to be given back.
    let mut host = "state_dir = \"disk/state\"\n\n[server]\nshutdown_timeout_ms = 200\n".to_owned();
    for (app, lanes) in APPS.iter().zip(consumers.chunks(LANES)) {
        let allowed: Vec<_> = lanes.iter().map(|lane| format!("http://{lane}")).collect();
        let ordered = *app == "ordered";
        let breaker = if ordered {
            ""
        } else {
            "breaker_failures = 6\nbreaker_open_ms = 40\n"
        };
        let manifest = format!(
            "spin_manifest_version = 2\n\n[application]\nname = \"{app}\"\n\n\
             [variables]\nenrolment_token = {{ default = \"\", secret = true }}\n\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"webhook-producer\"\n\n\
             [component.webhook-producer]\nsource = {producer:?}\nsqlite_databases = [\"default\"]\n\
             allowed_outbound_hosts = {allowed:?}\n\n\
             [component.webhook-producer.variables]\nenrolment_token = \"{{{{ enrolment_token }}}}\"\n\
             enrolment_origin = \"\"\nadmin_token = \"\"\n\
             encryption_keys = \"no-secret-and-still-thirty-two-characters-long\"\ndelivery_timeout_ms = \"{DELIVERY_MS}\"\n\n\
             [component.webhook-producer.dependencies]\n\"fermyon:hmac@0.1.0\" = {{ path = {hmac:?} }}\n\
             \"signet:webhooks@0.1.0\" = {{ path = {hmac:?} }}\n\n\
             [component.webhook-producer.tool.signet]\nmigrations = {{ default = {migrations:?} }}\n\n\
             [component.webhook-producer.tool.signet.queue.deliveries]\n\
             schedule_ms = [0, 20, 50, 100]\njitter_percent = 20\ntimeout_ms = {TIMEOUT_MS}\n\
             lease_ms = {LEASE_MS}\nordered = {ordered}\nkeep_done_ms = {KEEP_MS}\nkeep_dead_ms = {KEEP_MS}\n{breaker}",
            producer = guests.join("producer.wasm"),
            hmac = guests.join("hmac.wasm"),
        );
        std::fs::write(folder.join(format!("{app}.toml")), manifest)?;
        write!(
            host,
            "\n[[app]]\nmanifest = \"{app}.toml\"\nlisten = \"127.0.0.1:0\"\n"
        )?;
    }
    std::fs::write(folder.join("signet.toml"), host)?;
    Ok(())
}
