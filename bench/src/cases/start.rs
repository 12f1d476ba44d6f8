//! Starts: from the process's begin to its first 200, with nothing kept from earlier starts, and with everything.

use std::path::PathBuf;

use anyhow::Result;

use super::{Case, Kind, Side};
use crate::goals::SERVE;
use crate::hosts::{Hosts, Reuse};
use crate::http::Ask;
use crate::load::Load;

pub(super) fn cases(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let mut cases = Vec::new();
    for cold in [true, false] {
        cases.push(hello(hosts, cold)?);
        cases.push(all(hosts, cold));
    }
    Ok(cases)
}

fn words(cold: bool) -> (&'static str, &'static str) {
    if cold {
        ("cold", "nothing compiled yet")
    } else {
        ("warm", "everything kept from an earlier start")
    }
}

fn case<'a>(id: &str, says: &str, cold: bool, ask: Ask, sides: Vec<Side<'a>>) -> Case<'a> {
    let mut case = Case::loaded(id, says, Load::of(ask.clone()), sides);
    case.kind = Kind::Started { cold, ask };
    case
}

fn hello(hosts: &Hosts, cold: bool) -> Result<Case<'_>> {
    let (word, kept) = words(cold);
    let id = format!("{word}-start-hello");
    let component = &*hosts.guests.hello_p3;
    let manifest = hosts.manifest(&id, component, Reuse::Default, "")?;
    let cache = move || {
        if cold {
            hosts.cold_cache()
        } else {
            hosts.cache()
        }
    };
    let signet = Side::new("signet", move |place| {
        let run = hosts
            .bare_signet(&cache())
            .arg("run")
            .arg(manifest.display().to_string());
        Ok(hosts.listening(run, place.server()))
    });
    let serve = Side::new(SERVE, move |place| {
        Ok(hosts.serve(component, Reuse::Default, false, &cache(), place.server()))
    });
    let says = format!("the start of hello, WASI 0.3, {kept}");
    Ok(case(&id, &says, cold, Ask::get("/"), vec![signet, serve]))
}

fn all(hosts: &Hosts, cold: bool) -> Case<'_> {
    let (word, kept) = words(cold);
    let signet = builtin(hosts, move || {
        if cold {
            hosts.cold_cache()
        } else {
            hosts.cache()
        }
    });
    let says = format!("the start of the built-in producer and consumer, {kept}");
    let id = format!("{word}-start-builtin");
    case(&id, &says, cold, Ask::get("/registrations"), vec![signet])
}

/// Signet without a manifest.
pub(super) fn builtin<'a>(hosts: &'a Hosts, cache: impl Fn() -> PathBuf + 'a) -> Side<'a> {
    let mut signet = Side::new("signet", move |place| {
        let run = hosts.bare_signet(&cache()).arg("run");
        let run = run.args(["--listen", &place.server().to_string()]);
        Ok(hosts.listening(run, place.servers[1]))
    });
    signet.addresses = 2;
    signet
}
