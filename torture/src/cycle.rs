//! One cycle: consumers in their moods, posts under way, a fault in the middle of them, and then peace until everything
//! that was accepted has come to an end. Comes in: a fault; goes out: what the host says of each delivery. Never judges:
//! what must not be is noted in the ledger.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::apps::LANES;
use crate::audit::Said;
use crate::client::Client;
use crate::consumer::Consumer;
use crate::deck::Fault;
use crate::disk::Disk;
use crate::host::{Host, Started, Starter};
use crate::hurt::is_at_start;
use crate::ledger::{Fate, Ledger};
use crate::mood::Mood;
use crate::poster::Poster;

/// How many events an app is sent in a cycle, by each of those who post to it.
const POSTS: [(usize, u64); 2] = [(1, 8), (3, 5)];

/// How long everything that was accepted may take to come to an end, once there is peace.
const SETTLE: Duration = Duration::from_secs(60);

/// The host and everything around it.
pub(crate) struct Torture {
    pub(crate) starter: Starter,
    pub(crate) disk: Disk,
    pub(crate) consumers: Vec<Arc<Consumer>>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) client: Client,
    pub(crate) place: watch::Sender<Option<[SocketAddr; 2]>>,
    pub(crate) host: Option<Host>,
    /// The registrations' ids, by lane.
    pub(crate) registrations: Vec<String>,
    pub(crate) chance: fastrand::Rng,
    /// The number of the last event.
    pub(crate) number: u64,
    /// Of this run, for keys.
    pub(crate) run: u64,
    /// How often the host fell at each boundary.
    pub(crate) reached: BTreeMap<&'static str, u64>,
}

impl Torture {
    /// Registers every consumer at its app.
    pub(crate) async fn register(&mut self) -> Result<()> {
        let addresses = self.place.borrow().context("the host serves")?;
        for (lane, consumer) in self.consumers.iter().enumerate() {
            let url = format!("http://{}/hook", consumer.address());
            let wanted = json!({ "url": url, "event": "*" });
            let at = addresses[lane / LANES];
            let (status, made) = self
                .client
                .post(at, "/registrations", None, &wanted)
                .await?;
            ensure!(status == 201, "registration was answered {status}: {made}");
            let key = made["signingKey"].as_str().context("a key")?;
            ensure!(key == consumer.key(), "the handshake had another key");
            let id = made["id"].as_str().context("an id")?;
            self.registrations.push(id.to_owned());
        }
        Ok(())
    }

    /// Goes through one cycle, to the end of everything that was accepted in it.
    pub(crate) async fn cycle(&mut self, fault: Fault) -> Result<BTreeMap<(u64, usize), Said>> {
        if let Fault::Point(point) = fault
            && !is_at_start(point)
        {
            self.fall().await?;
            let times = if point.starts_with("release") {
                1
            } else {
                self.chance.u64(1..=12)
            };
            match self.starter.begin(Some((point, times))).await? {
                Started::Serves(host) => self.serves(host),
                Started::Ended(status, said) => bail!("the host ended with {status}:\n{said}"),
            }
        }
        self.moods(fault);
        let mut posts = Vec::new();
        for (app, (posters, count)) in POSTS.into_iter().enumerate() {
            for _ in 0..posters {
                let numbers = (self.number + 1..=self.number + count).collect();
                self.number += count;
                let poster = self.poster();
                posts.push(tokio::spawn(poster.post(app, numbers, self.chance.fork())));
            }
        }
        let calm = {
            let (consumers, time) = (self.consumers.clone(), self.chance.u64(300..1000));
            async move {
                sleep(Duration::from_millis(time)).await;
                consumers
                    .iter()
                    .for_each(|consumer| consumer.set(Mood::Good));
            }
        };
        let (hurt, ()) = tokio::join!(self.hurt(fault), calm);
        hurt.with_context(|| format!("fault {}", fault.name()))?;
        for post in posts {
            post.await?;
        }
        self.settled().await
    }

    /// Lets consumers misbehave: now and then, or all of them.
    fn moods(&mut self, fault: Fault) {
        for consumer in &self.consumers {
            let mood = match fault {
                Fault::Stop => Mood::Silent,
                Fault::Point(point) if point.starts_with("release") => Mood::Silent,
                Fault::Consumers => Mood::bad(&mut self.chance),
                _ if self.chance.u8(..3) == 0 => Mood::bad(&mut self.chance),
                _ => Mood::Good,
            };
            consumer.set(mood);
        }
    }

    fn poster(&self) -> Poster {
        Poster {
            client: self.client.clone(),
            ledger: Arc::clone(&self.ledger),
            place: self.place.subscribe(),
            run: self.run,
            lanes: LANES,
        }
    }

    /// Waits until everything that was accepted has come to an end, as the host says.
    async fn settled(&self) -> Result<BTreeMap<(u64, usize), Said>> {
        let addresses = self.place.borrow().context("the host serves")?;
        let events: Vec<_> = self.ledger.page().events.values().cloned().collect();
        let mut said = BTreeMap::new();
        let begun = Instant::now();
        for event in events {
            let Fate::Accepted(id) = &event.fate else {
                continue;
            };
            loop {
                let (status, answer) = self
                    .client
                    .get(addresses[event.app], &format!("/events/{id}"))
                    .await?;
                let deliveries = answer["deliveries"].as_array();
                if status != 200 || deliveries.is_none() {
                    self.ledger
                        .wrong(format!("GET of {id} was answered {status}: {answer}"));
                    break;
                }
                let mut open = false;
                for delivery in deliveries.into_iter().flatten() {
                    let registration = delivery["registration"].as_str().unwrap_or_default();
                    let lane = self.registrations.iter().position(|id| id == registration);
                    let lane = lane.with_context(|| format!("{id} goes to {registration}"))?;
                    let state = match delivery["state"].as_str() {
                        Some("done") => Said::Done,
                        Some("dead") => Said::Dead,
                        _ => Said::Open,
                    };
                    open |= state == Said::Open;
                    said.insert((event.number, lane), state);
                }
                if !open || begun.elapsed() > SETTLE {
                    break;
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(said)
    }
}
