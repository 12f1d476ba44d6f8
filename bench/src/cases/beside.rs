//! Beside others that compute without end: what a good request waits for then.

use anyhow::Result;

use super::{Beside, Case, Side};
use crate::goals::ALONE;
use crate::hosts::Hosts;
use crate::http::Ask;
use crate::load::Load;

/// How many requests that never end are under way at any time.
const LOOPING: usize = 64;

pub(super) fn case(hosts: &Hosts) -> Result<Case<'_>> {
    let (hello, loops) = (&hosts.guests.hello_p3, &hosts.guests.loops);
    let manifest = hosts.write(
        "apps/beside-loops.toml",
        format!(
            "spin_manifest_version = 2\n[application]\nname = \"beside-loops\"\n\n\
             [[trigger.http]]\nroute = \"/\"\ncomponent = \"hello\"\n\
             [[trigger.http]]\nroute = \"/loop\"\ncomponent = \"loops\"\n\n\
             [component.hello]\nsource = \"{}\"\n\n[component.loops]\nsource = \"{}\"\n\
             tool.signet.request_timeout_ms = 1000\n",
            hello.display(),
            loops.display()
        ),
    )?;
    let side = |name: &str| {
        let manifest = manifest.clone();
        Side::new(name, move |place| {
            Ok(hosts.listening(hosts.signet(&manifest), place.server()))
        })
    };
    let says =
        format!("hello, WASI 0.3, beside {LOOPING} requests that compute until their deadline");
    let sides = vec![side("signet"), side(ALONE)];
    let mut case = Case::loaded("beside-loops", &says, Load::of(Ask::get("/")), sides);
    case.beside = Some(Beside {
        side: "signet",
        load: Load::of(Ask::get("/loop")).over(LOOPING),
    });
    Ok(case)
}
