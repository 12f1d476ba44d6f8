//! Durable delivery: how fast events are accepted, how long they are under way until a consumer has verified them,
//! what a dead consumer does to the others, what many deliveries leave in memory, and what the host does when it has
//! nothing to do. No other host here has a queue: most figures stand for themselves.

use anyhow::Result;
use serde_json::json;

use super::start::builtin;
use super::webhooks::{producer_of, register};
use super::{Case, Deliveries, Kind, Side};
use crate::goals::ALIVE;
use crate::hosts::Hosts;
use crate::http::{Ask, Client};
use crate::load::Load;
use crate::native::receiver::SILENT;

/// Events a second of the cases whose figure is not how many there are.
const STEADY: f64 = 1_100.0;

pub(super) fn cases(hosts: &Hosts, quick: bool) -> Result<Vec<Case<'_>>> {
    let mut cases = vec![
        ingest(hosts, "ingest", When::Later, None)?,
        ingest(hosts, "ingest-2000", When::Later, Some(2_000))?,
        ingest(hosts, "ingest-delivering", When::Now, None)?,
        delivered(hosts),
        dead_consumer(hosts),
        million(hosts, quick),
        idle(hosts),
    ];
    super::webhooks::need_guests(hosts, &mut cases);
    Ok(cases)
}

fn ingest<'a>(hosts: &'a Hosts, id: &str, when: When, rate: Option<u32>) -> Result<Case<'a>> {
    let body = json!({ "type": "bench.0", "data": { "due_at_us": 0 } }).to_string();
    let ask = Ask::post("/events", body.clone()).with("content-type", "application/json");
    let mut load = Load::of(ask);
    load.body = Some(hosts.write("bodies/event", body)?);
    load.rate = rate;
    let says = match (when, rate) {
        (When::Later, None) => {
            "our producer accepts an event, on disk with its delivery before the 202; that is due in an hour"
        }
        (When::Later, Some(_)) => {
            "the same at 2,000 events a second, each timed from when it is due to be posted"
        }
        (When::Now, _) => "as many as there can be, while those accepted before are delivered",
    };
    let side = consumers(hosts, "signet", 1, "target", when);
    let mut case = Case::loaded(id, says, load, vec![side]);
    case.receives = true;
    Ok(case)
}

fn delivered(hosts: &Hosts) -> Case<'_> {
    let says = "from the time an event is due to be posted until its consumer has verified it, 1,100 events a second";
    let side = consumers(hosts, "signet", 1, "target", When::Now);
    let deliveries = Deliveries {
        rate: STEADY,
        ..Deliveries::default()
    };
    case("delivered", says, deliveries, vec![side])
}

fn dead_consumer(hosts: &Hosts) -> Case<'_> {
    let says = "the same to 1,000 consumers in turn, one of whom takes every delivery and never answers; the figures are the others'";
    let silent = SILENT.trim_start_matches('/');
    let sides = vec![
        consumers(hosts, "signet", 1_000, silent, When::Now),
        consumers(hosts, ALIVE, 1_000, "target", When::Now),
    ];
    let deliveries = Deliveries {
        rate: 600.0,
        types: 1_000,
        dead: Some("signet"),
        ..Deliveries::default()
    };
    case("dead-consumer", says, deliveries, sides)
}

fn million(hosts: &Hosts, quick: bool) -> Case<'_> {
    let says =
        "1,000,000 deliveries, 100 of each event, and what of the host is in memory meanwhile";
    let side = consumers(hosts, "signet", 100, "target", When::Now);
    let deliveries = Deliveries {
        rate: 6.0,
        events: Some(10_000),
        fan_out: 100,
        ..Deliveries::default()
    };
    let mut case = case("million-deliveries", says, deliveries, vec![side]);
    case.once = true;
    if quick {
        let why = "it takes half an hour by itself: just compare --only million-deliveries";
        case.left_out = Some(why.to_owned());
    }
    case
}

fn idle(hosts: &Hosts) -> Case<'_> {
    let says = "the built-in app, served and asked for nothing";
    let side = builtin(hosts, || hosts.cache());
    let mut case = Case::loaded(
        "idle",
        says,
        Load::of(Ask::get("/registrations")),
        vec![side],
    );
    case.kind = Kind::Idle(Ask::get("/registrations"));
    case
}

fn case<'a>(id: &str, says: &str, deliveries: Deliveries, sides: Vec<Side<'a>>) -> Case<'a> {
    let mut case = Case::loaded(id, says, Load::of(Ask::get("/registrations")), sides);
    case.kind = Kind::Delivered(deliveries);
    case.receives = true;
    case
}

/// When what is accepted is to be delivered.
#[derive(Clone, Copy)]
enum When {
    Now,
    /// Long after the case.
    Later,
}

/// Our producer with so many consumers of one receiver, the first of them below `first`. One alone wants every event,
/// as do a hundred; of a thousand each wants a type of its own.
fn consumers<'a>(
    hosts: &'a Hosts,
    name: &str,
    count: usize,
    first: &'a str,
    when: When,
) -> Side<'a> {
    let below = move |number: usize| if number == 0 { first } else { "target" };
    let wants = move |number: usize| match count {
        1_000 => format!("bench.{number}"),
        _ => "bench.*".to_owned(),
    };
    let side = producer_of(hosts, name).by_hand(move |place| {
        let wanted = wants(0).replace('0', "'$number'");
        let schedule = match when {
            When::Now => "",
            When::Later => ",\"schedule\":[3600]",
        };
        format!(
            "for number in $(seq 0 {}); do curl -X POST -H 'content-type: application/json' -d '{{\"url\":\"http://{}/{}/'$number'\",\"event\":\"{wanted}\"{schedule}}}' \
             http://{}/registrations; done",
            count - 1,
            place.sink,
            below(0),
            place.server()
        )
    });
    side.prepare(move |client: &Client, place| {
        for number in 0..count {
            let url = format!("http://{}/{}/{number}", place.sink, below(number));
            let mut registration = json!({ "url": url, "event": wants(number) });
            if let When::Later = when {
                registration["schedule"] = json!([3600]);
            }
            register(client, place.server(), &registration)?;
        }
        Ok(())
    })
}
