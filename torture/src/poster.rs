//! Posts events, as a client of the producer that never gives up what may have been accepted. Comes in: an app and how
//! many; goes out: entries in the ledger. A post whose answer was lost is made again with its key; one that was only ever
//! refused is given up now and then, and must never be delivered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::client::Client;
use crate::ledger::{Event, Fate, Ledger};

/// Between a post that failed and the next.
const PAUSE: Duration = Duration::from_millis(25);

/// How often a post is made at most: twenty seconds and more.
const TRIES: usize = 800;

/// Where the apps are now; none while there is no host.
pub(crate) type Place = watch::Receiver<Option<[SocketAddr; 2]>>;

/// Who posts.
#[derive(Clone)]
pub(crate) struct Poster {
    pub(crate) client: Client,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) place: Place,
    /// Of this run, so that keys are its own.
    pub(crate) run: u64,
    /// How many consumers each app has.
    pub(crate) lanes: usize,
}

/// The data of an event: its number, and as many bytes as that and chance say.
fn data(number: u64, length: usize) -> Value {
    json!({ "number": number, "length": length, "pad": pad(number, length) })
}

/// Bytes that nobody else's event has.
fn pad(number: u64, length: usize) -> String {
    let word = format!("{number:08}.");
    word.chars().cycle().take(length).collect()
}

/// Whether a delivery's body has what was posted.
pub(crate) fn is_whole(body: &Value) -> bool {
    let data = &body["data"];
    let (Some(number), Some(length)) = (data["number"].as_u64(), data["length"].as_u64()) else {
        return false;
    };
    let length = usize::try_from(length).unwrap_or(0);
    data["pad"].as_str() == Some(&pad(number, length))
        && body["type"] == "torture.event"
        && body["timestamp"].is_string()
}

impl Poster {
    /// Posts events with these numbers to an app, one after the other, with pauses between them.
    pub(crate) async fn post(self, app: usize, numbers: Vec<u64>, mut chance: fastrand::Rng) {
        for number in numbers {
            tokio::time::sleep(Duration::from_millis(chance.u64(0..40))).await;
            self.post_one(app, number, &mut chance).await;
        }
    }

    async fn post_one(&self, app: usize, number: u64, chance: &mut fastrand::Rng) {
        let event = Event {
            number,
            app,
            fate: Fate::Open,
        };
        self.ledger.page().events.insert(number, event);
        let length = if chance.u8(..10) == 0 {
            20_000
        } else {
            chance.usize(..400)
        };
        let body = json!({ "type": "torture.event", "data": data(number, length) });
        let key = format!("{}-{number}", self.run);
        let gives_up = chance.bool();
        let replays = chance.u8(..16) == 0;
        let mut may_be_there = false;
        let mut place = self.place.clone();
        for tried in 0..TRIES {
            let Ok(addresses) = place.wait_for(Option::is_some).await.map(|at| *at) else {
                return;
            };
            let Some(addresses) = addresses else { return };
            if tried > 0 {
                self.ledger.page().reposts += 1;
            }
            let posted = self
                .client
                .post(addresses[app], "/events", Some(&key), &body)
                .await;
            match posted {
                Ok((202, answer)) => {
                    let id = self.accepted(number, &answer);
                    if replays {
                        self.replay(addresses[app], &key, &body, &id).await;
                    }
                    return;
                }
                Ok((503, _)) => {
                    let mut page = self.ledger.page();
                    page.refusals += 1;
                    if gives_up && !may_be_there {
                        if let Some(event) = page.events.get_mut(&number) {
                            event.fate = Fate::Refused;
                        }
                        return;
                    }
                }
                Ok((status, answer)) => {
                    let what = format!("POST of event {number} was answered {status}: {answer}");
                    self.ledger.wrong(what);
                    may_be_there = true;
                }
                Err(_) => may_be_there = true,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Notes that an event was accepted.
    fn accepted(&self, number: u64, answer: &Value) -> String {
        let id = answer["id"].as_str().unwrap_or_default().to_owned();
        if id.len() != 32 || answer["deliveries"].as_u64() != Some(self.lanes as u64) {
            self.ledger
                .wrong(format!("event {number} was accepted as {answer}"));
        }
        if let Some(event) = self.ledger.page().events.get_mut(&number) {
            event.fate = Fate::Accepted(id.clone());
        }
        id
    }

    /// The same key with the same content is the same event; with another it is refused.
    async fn replay(&self, at: SocketAddr, key: &str, body: &Value, id: &str) {
        match self.client.post(at, "/events", Some(key), body).await {
            Ok((202, again)) if again["id"] == id => {}
            // The host may fall here as anywhere, and refuse when it has no room.
            Ok((503, _)) | Err(_) => {}
            Ok((status, again)) => {
                let what = format!("{id} posted again was answered {status}: {again}");
                self.ledger.wrong(what);
            }
        }
        let other = json!({ "type": "torture.event", "data": {} });
        match self.client.post(at, "/events", Some(key), &other).await {
            Ok((409 | 503, _)) | Err(_) => {}
            Ok((status, answer)) => {
                let what = format!("key of {id} with another content: {status} {answer}");
                self.ledger.wrong(what);
            }
        }
    }
}
