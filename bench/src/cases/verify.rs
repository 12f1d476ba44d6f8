//! A handler linked with `hmac` verifies a body: what linking, carrying a body and hashing cost.

use anyhow::Result;

use super::Case;
use super::hello::{native, serve, signet};
use crate::hosts::{Hosts, Reuse};
use crate::http::Ask;
use crate::load::Load;
use crate::native::verify::tag;

/// The key that the guest has built in.
const KEY: &[u8] = b"secret";

/// Bodies, by the names of their sizes.
pub(crate) const SIZES: [(&str, usize); 4] = [
    ("0", 0),
    ("1k", 1 << 10),
    ("64k", 64 << 10),
    ("1m", 1 << 20),
];

pub(super) fn cases(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let component = &*hosts.guests.verify;
    let mut cases = Vec::new();
    for (name, size) in SIZES {
        let id = format!("verify-{name}");
        let body: Vec<u8> = (0..size).map(|at| b'a' + (at % 26) as u8).collect();
        let file = hosts.write(&format!("bodies/{name}"), &body)?;
        let ask = Ask::post("/", body.clone()).with("X-Signature", &tag(KEY, &body));
        let mut load = Load::of(ask);
        load.body = Some(file);
        let sides = vec![
            signet(hosts, &id, component, Reuse::Default)?,
            serve(hosts, component, Reuse::Default, false),
            native(hosts, "verify"),
        ];
        let says = format!(
            "a WASI 0.3 handler, linked with hmac, verifies a body of {size} bytes (natively with the CPU's own instructions for it, where it has them)"
        );
        cases.push(Case::loaded(&id, &says, load, sides));
    }
    Ok(cases)
}
