//! An instance that works on jobs, several at once: what it has under way and until when, and who waits for what
//! comes of it. Comes in: jobs with their deadlines; goes out: an outcome for each, also when the instance falls
//! or never yields. Never takes more than its guest's limits say.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use wasmtime::component::Accessor;
use wasmtime::{Store, WasmBacktrace};

use super::super::state::State;
use super::maker::Maker;
use super::ticket::Tickets;
use crate::capability::bindings::queue::{HostQueue, HostQueuePre, types};

/// How much longer than its job an instance is waited for: one that yields ends the attempt by itself.
const GRACE: Duration = Duration::from_millis(100);

/// A job on its way to the instance.
struct Order {
    number: usize,
    job: Box<types::Job>,
    deadline: Instant,
}

/// A job that the instance has.
struct Under {
    number: usize,
    /// Its name and which attempt of it, as the log has them.
    id: String,
    deadline: Instant,
    answer: oneshot::Sender<types::Outcome>,
}

/// What an instance has to do. Clones are the same desk.
#[derive(Clone)]
pub(super) struct Desk(Arc<Inner>);

struct Inner {
    orders: mpsc::UnboundedSender<Order>,
    here: Mutex<Here>,
    /// Told when a job is taken.
    taken: Notify,
    most: usize,
    most_at_once: usize,
}

#[derive(Default)]
struct Here {
    under: Vec<Under>,
    taken: usize,
    closed: bool,
}

impl Desk {
    /// A desk whose instance is made in a task of the calling thread. It goes when it has had nothing to do for
    /// a while, or as many jobs as its guest's limits allow.
    pub(super) fn open(maker: Arc<Maker>, worker: HostQueuePre<State>) -> Self {
        let (most, most_at_once) = maker.capacity();
        let (orders, received) = mpsc::unbounded_channel();
        let desk = Self(Arc::new(Inner {
            orders,
            here: Mutex::default(),
            taken: Notify::new(),
            most,
            most_at_once,
        }));
        tokio::spawn(desk.clone().run(maker, worker, received));
        desk
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.0.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job, if there is a place for it; gives it back if not.
    pub(super) fn take(
        &self,
        job: Box<types::Job>,
        deadline: Instant,
    ) -> Result<oneshot::Receiver<types::Outcome>, Box<types::Job>> {
        let mut here = self.here();
        // Whoever is given up on, and is still there, may never yield: nobody else is to wait with him.
        let now = Instant::now();
        let given_up = |under: &Under| under.deadline <= now || under.answer.is_closed();
        here.closed |= here.under.iter().any(given_up);
        if here.closed || here.taken >= self.0.most || here.under.len() >= self.0.most_at_once {
            return Err(job);
        }
        let (answer, outcome) = oneshot::channel();
        let number = here.taken;
        here.taken += 1;
        here.under.push(Under {
            number,
            id: format!("{}/{}", job.id, job.attempt),
            deadline,
            answer,
        });
        drop(here);
        // Its receiver goes with the instance, which answers for all that are under way.
        let _ = self.0.orders.send(Order {
            number,
            job,
            deadline,
        });
        self.0.taken.notify_one();
        Ok(outcome)
    }

    /// Whether it takes no more, ever.
    pub(super) fn is_closed(&self) -> bool {
        let here = self.here();
        here.closed || here.taken >= self.0.most
    }

    fn settle(&self, number: usize, outcome: types::Outcome) {
        let mut here = self.here();
        if let Some(at) = here.under.iter().position(|under| under.number == number) {
            // Who gave up waiting needs no answer.
            let _ = here.under.swap_remove(at).answer.send(outcome);
        }
    }

    /// Whether everything is done that it will ever have to do.
    fn is_over(&self) -> bool {
        self.is_closed() && self.here().under.is_empty()
    }

    fn close(&self) {
        self.here().closed = true;
    }

    /// Takes no more, unless it has something to do.
    fn close_idle(&self) {
        let mut here = self.here();
        here.closed |= here.under.is_empty();
    }

    /// Comes back when a job is so far over its deadline that its instance must be one that never yields.
    async fn overdue(&self) {
        loop {
            let deadlines = self.here().under.iter().map(|under| under.deadline).min();
            match deadlines.map(|earliest| earliest + GRACE) {
                None => self.0.taken.notified().await,
                Some(end) if end <= Instant::now() => return,
                Some(end) => sleep_until(end).await,
            }
        }
    }

    async fn run(
        self,
        maker: Arc<Maker>,
        worker: HostQueuePre<State>,
        orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let mut overdue = pin!(self.overdue());
        let overdue = poll_fn(|cx| {
            // Asked whenever the instance has done all that it can do now.
            maker.thread.gives_way();
            overdue.as_mut().poll(cx)
        });
        let ended = tokio::select! {
            biased;
            ended = self.work(&maker, worker, orders) => ended,
            () = overdue => Ok(()),
        };
        maker.thread.gives_way();
        let now = Instant::now();
        let left = {
            let mut here = self.here();
            here.closed = true;
            std::mem::take(&mut here.under)
        };
        if let Err(error) = &ended
            && !maker.thread.is_ending()
        {
            report(&maker, &left, error);
        }
        for under in left {
            let reason = match &ended {
                Err(error) => format!("the worker trapped: {}", error.root_cause()),
                Ok(()) if under.deadline <= now => TOO_LONG.to_owned(),
                Ok(()) => "another job on the same instance computed beyond its time".to_owned(),
            };
            let _ = under.answer.send(again(reason));
        }
    }

    /// Makes the instance and works until there is nothing more to do.
    async fn work(
        &self,
        maker: &Maker,
        worker: HostQueuePre<State>,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) -> wasmtime::Result<()> {
        // Jobs can wait for a place, as requests cannot.
        let place = Arc::clone(&maker.loaded.places).acquire_owned().await?;
        let tickets = Tickets::default();
        let mut store: Store<State> = maker.store(place, tickets.clone())?;
        let worker = worker.instantiate_async(&mut store).await?;
        let idle = maker.loaded.guest.limits.idle_timeout;
        let attend = async |accessor: &Accessor<State>| {
            let mut running = FuturesUnordered::new();
            while !self.is_over() {
                tickets.turned();
                tokio::select! {
                    biased;
                    Some(ended) = running.next() => ended?,
                    order = timeout(idle, orders.recv()) => match order {
                        Ok(Some(order)) => running.push(self.attempt(accessor, &worker, order)),
                        Ok(None) => self.close(),
                        Err(_) => self.close_idle(),
                    },
                }
            }
            wasmtime::error::Ok(())
        };
        store.run_concurrent(attend).await?
    }

    /// Lets the guest work on one job.
    async fn attempt(
        &self,
        accessor: &Accessor<State>,
        worker: &HostQueue,
        order: Order,
    ) -> wasmtime::Result<()> {
        let run = worker.signet_queue_worker().call_run(accessor, *order.job);
        match timeout_at(order.deadline, run).await {
            Ok(outcome) => self.settle(order.number, outcome?),
            Err(_) => {
                // What it still does ends with the instance, when the others are done.
                self.close();
                self.settle(order.number, again(TOO_LONG.to_owned()));
            }
        }
        Ok(())
    }
}

const TOO_LONG: &str = "the worker took longer than the queue's timeout";

/// The attempt came to nothing.
pub(super) fn again(reason: String) -> types::Outcome {
    types::Outcome::Retry(types::Retry {
        after: None,
        reason,
    })
}

/// Counts an instance that fell, and says in the log why, and which jobs were with it.
fn report(maker: &Maker, jobs: &[Under], error: &wasmtime::Error) {
    let guest = &maker.loaded.guest;
    guest.metrics.traps.inc();
    let jobs: Vec<_> = jobs.iter().map(|under| under.id.as_str()).collect();
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    tracing::error!(
        component = guest.name,
        jobs = jobs.join(" "),
        error = %error.root_cause(),
        backtrace = backtrace.map(tracing::field::display),
        "an instance was ended"
    );
}
