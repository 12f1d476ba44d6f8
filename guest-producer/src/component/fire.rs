//! Firing an event. In come the trace and the body of a `POST /fire`; out go signed deliveries to every consumer
//! that wants the event, all at once, and a report of them. One consumer that is down stops no other.
//! It never logs a key.

use std::rc::Rc;
use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::database::{Database, Ready};
use super::send::{self, Parcel};
use super::surroundings::{now, random_bytes, ring};
use crate::answer::Answer;
use crate::delivery::{self, Outcome};
use crate::draw;
use crate::event::Event;
use crate::filter::Filter;
use crate::problem::Problem;
use crate::trace::Trace;

/// The time of one delivery.
const DELIVERY_LIMIT: Duration = Duration::from_secs(10);

/// How many deliveries go on at once.
const CONCURRENCY: usize = 256;

/// Fires an event.
pub(super) async fn fire(trace: &Trace, body: &[u8]) -> Result<Answer, Problem> {
    let event = Event::parse(body)?;
    let payload: Rc<[u8]> = event.payload().into();
    let id = format!("msg_{}", draw::id(random_bytes));
    println!("Loading all CONSUMERS from database");
    let database = Database::open().await?;
    let wants = |ready: &Ready| {
        Filter::parse(&ready.registration.event).is_ok_and(|filter| filter.matches(&event.name))
    };
    let wanted: Vec<_> = database
        .list_with_keys(&ring().await?, now())
        .await?
        .into_iter()
        .filter(wants)
        .collect();

    let deliveries = wanted.into_iter().enumerate().map(|(place, ready)| {
        let (id, payload) = (&id, payload.clone());
        async move {
            let parcel = Parcel {
                id,
                url: &ready.registration.url,
                keys: &ready.keys,
                headers: &ready.headers,
                payload,
            };
            let outcome = deliver(parcel, trace).await;
            (place, (ready.registration, outcome))
        }
    });
    let ended = stream::iter(deliveries).buffer_unordered(CONCURRENCY);
    let mut outcomes: Vec<_> = ended.collect().await;
    outcomes.sort_by_key(|(place, _)| *place);
    let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(delivery::report(&event.name, &id, &outcomes))
}

async fn deliver(parcel: Parcel<'_>, trace: &Trace) -> Outcome {
    let url = parcel.url;
    println!("Sending signed payload to CONSUMER {url}");
    let outcome = send::signed(parcel, trace, DELIVERY_LIMIT).await;
    let outcome = outcome.map(|reply| reply.status);
    match &outcome {
        Ok(status) => println!("CONSUMER {url} responded with status {status}"),
        Err(failure) => println!("CONSUMER {url} could not be reached: {failure}"),
    }
    outcome
}
