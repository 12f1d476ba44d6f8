//! Hello: what a request costs when the guest does nothing, by kind of component, by reuse, by connections.

use std::path::Path;

use anyhow::Result;

use super::{Case, Side};
use crate::goals::{NATIVE, SERVE, SERVE_BEST};
use crate::hosts::{Hosts, Reuse};
use crate::http::Ask;
use crate::load::Load;

/// Signet with a component that is granted nothing.
pub(super) fn signet<'a>(
    hosts: &'a Hosts,
    name: &str,
    component: &Path,
    reuse: Reuse,
) -> Result<Side<'a>> {
    let manifest = hosts.manifest(name, component, reuse, "")?;
    Ok(Side::new("signet", move |place| {
        Ok(hosts.listening(hosts.signet(&manifest), place.server()))
    }))
}

/// `wasmtime serve` with the same.
pub(super) fn serve<'a>(
    hosts: &'a Hosts,
    component: &'a Path,
    reuse: Reuse,
    best: bool,
) -> Side<'a> {
    let name = if best { SERVE_BEST } else { SERVE };
    Side::new(name, move |place| {
        Ok(hosts.serve(component, reuse, best, &hosts.cache(), place.server()))
    })
}

/// The native reference.
pub(super) fn native<'a>(hosts: &'a Hosts, mode: &'a str) -> Side<'a> {
    Side::new(NATIVE, move |place| Ok(hosts.native(mode, place.server())))
}

fn three<'a>(
    hosts: &'a Hosts,
    name: &str,
    component: &'a Path,
    reuse: Reuse,
) -> Result<Vec<Side<'a>>> {
    Ok(vec![
        signet(hosts, name, component, reuse)?,
        serve(hosts, component, reuse, false),
        serve(hosts, component, reuse, true),
    ])
}

pub(super) fn cases(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let (p2, p3) = (&*hosts.guests.hello_p2, &*hosts.guests.hello_p3);
    let mut cases = Vec::new();
    for (id, component, reuse, says) in [
        (
            "hello-p2-fresh",
            p2,
            Reuse::Default,
            "hello, WASI 0.2, an instance for each request",
        ),
        (
            "hello-p2-serial-reuse",
            p2,
            Reuse::Serial,
            "hello, WASI 0.2, 128 requests one after another for each instance",
        ),
        (
            "hello-p3",
            p3,
            Reuse::Default,
            "hello, WASI 0.3, the default reuse: 128 requests, 16 at once",
        ),
        (
            "hello-p3-fresh",
            p3,
            Reuse::Fresh,
            "hello, WASI 0.3, an instance for each request",
        ),
    ] {
        let mut sides = three(hosts, id, component, reuse)?;
        if id == "hello-p3" {
            sides.push(native(hosts, "hello"));
        }
        cases.push(Case::loaded(id, says, Load::of(Ask::get("/")), sides));
    }
    Ok(cases)
}

/// `hello-p3` over more and fewer connections than the 32 of the other cases.
pub(super) fn connections(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let component = &*hosts.guests.hello_p3;
    let sides = |id: &str| -> Result<Vec<Side<'_>>> {
        Ok(vec![
            signet(hosts, id, component, Reuse::Default)?,
            serve(hosts, component, Reuse::Default, false),
            native(hosts, "hello"),
        ])
    };
    let mut cases = Vec::new();
    for count in [1, 256, 1000] {
        let id = format!("connections-{count}");
        let says = format!("hello, WASI 0.3, over {count} connections");
        let load = Load::of(Ask::get("/")).over(count);
        cases.push(Case::loaded(&id, &says, load, sides(&id)?));
    }
    let id = "connection-per-request";
    let mut load = Load::of(Ask::get("/"));
    load.keep_alive = false;
    let says = "hello, WASI 0.3, a connection for each request";
    cases.push(Case::loaded(id, says, load, sides(id)?));
    Ok(cases)
}
