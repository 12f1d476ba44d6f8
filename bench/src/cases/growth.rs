//! How our cost grows: with apps that are really different ones, with connections that are open and silent.

use std::fmt::Write as _;

use anyhow::Result;

use super::hello::{native, signet};
use super::{Case, Side};
use crate::goals::SERVE;
use crate::guests::{app, varied};
use crate::hosts::{Hosts, Reuse};
use crate::http::Ask;
use crate::load::Load;

/// The peer of many apps.
const ONE: &str = "signet, 1 app";

pub(super) fn cases(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let mut cases = Vec::new();
    for count in [10, 100] {
        let sides = vec![apps(hosts, "signet", count), apps(hosts, ONE, 1)];
        let says = format!(
            "hello, WASI 0.3, {count} different components on one host, 200 connections spread over them"
        );
        let load = Load::of(Ask::get("/")).over(200);
        cases.push(Case::loaded(&format!("apps-{count}"), &says, load, sides));
    }
    let id = "idle-1000";
    let component = &*hosts.guests.hello_p3;
    let sides = vec![
        signet(hosts, id, component, Reuse::Default)?,
        // By itself it takes no more than 1000 connections, and lets the others wait.
        Side::new(SERVE, move |place| {
            let cache = hosts.cache();
            let serve = hosts.serve(component, Reuse::Default, false, &cache, place.server());
            Ok(serve.args(["--max-concurrent-connections", "10000"]))
        }),
        native(hosts, "hello"),
    ];
    let says = "hello, WASI 0.3, over 32 connections, beside 1000 that are open and silent";
    let mut case = Case::loaded(id, says, Load::of(Ask::get("/")), sides);
    case.idle = 1000;
    cases.push(case);
    Ok(cases)
}

/// One host with so many apps, each on an address of its own.
fn apps<'a>(hosts: &'a Hosts, name: &str, count: usize) -> Side<'a> {
    let mut side = Side::new(name, move |place| {
        let folder = format!("apps/{count}");
        let mut host = String::new();
        for (number, address) in place.servers.iter().enumerate() {
            let bytes = varied(&hosts.guests.hello_p3, number)?;
            let component = hosts.write(&format!("components/varied/{number}.wasm"), bytes)?;
            let text = app(&format!("app-{number}"), &component, "");
            hosts.write(&format!("{folder}/{number}.toml"), text)?;
            let _ = write!(
                host,
                "[[app]]\nmanifest = \"{number}.toml\"\nlisten = \"{address}\"\n\n"
            );
        }
        let file = hosts.write(&format!("{folder}/signet.toml"), host)?;
        Ok(hosts.silent(hosts.signet(&file)))
    });
    side.addresses = count;
    side
}
