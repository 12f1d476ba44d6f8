//! Guests of other SDKs, as they were written for Spin: an app with a table, and a large one in Python. Spin cannot be
//! installed from a registry, so its figures are not of this run.

use anyhow::Result;

use super::webhooks::{TOKEN, handshake, native, payload, shaken_by_hand};
use super::{Case, Side};
use crate::goals::{SERVE, SPIN};
use crate::hosts::{Hosts, Reuse};
use crate::http::Ask;
use crate::load::Load;

pub(super) fn cases(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    Ok(vec![
        registrations(hosts)?,
        python(
            hosts,
            "python-verify-fresh",
            Reuse::Fresh,
            "an instance for each request",
            3.5,
        )?,
        python(
            hosts,
            "python-verify-reuse",
            Reuse::Default,
            "128 requests for each instance, several at once",
            20.0,
        )?,
    ])
}

fn registrations(hosts: &Hosts) -> Result<Case<'_>> {
    let id = "registrations";
    let grant = "sqlite_databases = [\"default\"]\n";
    let manifest = hosts.manifest(id, &hosts.guests.registrations, Reuse::Default, grant)?;
    let signet = Side::new("signet", move |place| {
        Ok(hosts.listening(hosts.signet(&manifest), place.server()))
    });
    let signet = signet.ready(Ask::post("/registrations", ""));
    let signet =
        signet.by_hand(|place| format!("curl -X POST http://{}/registrations", place.server()));
    let says = "an app for Spin 2 (WASI 0.2, fermyon:spin/sqlite) lists its one registration";
    let mut case = Case::loaded(id, says, Load::of(Ask::get("/registrations")), vec![signet]);
    case.cannot.push((SPIN, absent(3.0, 1660.0)));
    case.cannot.push((
        SERVE,
        "not runnable: wasmtime serve does not give fermyon:spin/sqlite to its guests".to_owned(),
    ));
    Ok(case)
}

/// What is said where Spin's figure would stand.
fn absent(times: f64, seen: f64) -> String {
    format!(
        "Spin is not in this run: it cannot be installed from a registry. On another machine of two cores it gave {seen} \
         requests/s; {times} times that is {}",
        times * seen
    )
}

fn python<'a>(hosts: &'a Hosts, id: &str, reuse: Reuse, how: &str, times: f64) -> Result<Case<'a>> {
    let component = hosts
        .root
        .join("examples/consumer-python/build/consumer.wasm");
    let more = format!(
        "key_value_stores = [\"default\"]\n[component.guest.variables]\nenrolment_token = \"{TOKEN}\"\n\
         [component.guest.dependencies]\n\"fermyon:hmac@0.1.0\" = {{ path = \"{}\" }}\n",
        hosts.guests.hmac.display()
    );
    let manifest = hosts.manifest(id, &component, reuse, &more)?;
    let signet = Side::new("signet", move |place| {
        Ok(hosts.listening(hosts.signet(&manifest), place.server()))
    });
    let signet = signet.ready(handshake()).by_hand(shaken_by_hand);
    let sides = vec![signet, native(hosts)];
    let bytes = std::fs::metadata(&component).map_or(0, |file| file.len());
    let megabytes = bytes / 1_000_000;
    let says = format!(
        "the consumer in Python (WASI 0.3, {megabytes} MB) verifies a payload, its key in key-value, {how}"
    );
    let mut case = Case::loaded(id, &says, payload(hosts)?, sides);
    case.cannot.push((SPIN, absent(times, 106.0)));
    if !component.exists() {
        let build = "it is not built: sh examples/consumer-python/build.sh, then measure again";
        case.left_out = Some(build.to_owned());
    }
    Ok(case)
}
