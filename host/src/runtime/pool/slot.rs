//! The pool of one component on one thread, whichever version of the component is served now. Comes in:
//! the component as it is loaded, and each one that takes its place; goes out: the pool for the next
//! request. Requests under way stay in the pool that they began in, which goes when the last has ended.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{Inside, Loaded, Pool, Thread};

/// A component's place on one thread.
#[derive(Clone)]
pub struct Slot(Arc<Inner>);

struct Inner {
    // One thread takes it, for as long as it takes to count a reference.
    pool: Mutex<Arc<Pool>>,
    inside: Arc<dyn Inside>,
    thread: Arc<Thread>,
}

impl Slot {
    /// The slot of the calling thread. `inside` answers what the component asks of its own app.
    pub fn new(
        current: &mut watch::Receiver<Arc<Loaded>>,
        inside: Arc<dyn Inside>,
        thread: &Arc<Thread>,
    ) -> Self {
        let loaded = Arc::clone(&current.borrow_and_update());
        let pool = Pool::new(loaded, Arc::clone(&inside), Arc::clone(thread));
        Self(Arc::new(Inner {
            pool: Mutex::new(Arc::new(pool)),
            inside,
            thread: Arc::clone(thread),
        }))
    }

    /// The pool for a request that begins.
    pub fn pool(&self) -> Arc<Pool> {
        let pool = self.0.pool.lock();
        Arc::clone(&pool.unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a new pool for each component that takes the place of the one before, as long as anybody
    /// can send one.
    pub async fn follow(self, mut current: watch::Receiver<Arc<Loaded>>) {
        while current.changed().await.is_ok() {
            let loaded = Arc::clone(&current.borrow_and_update());
            let inside = Arc::clone(&self.0.inside);
            let pool = Arc::new(Pool::new(loaded, inside, Arc::clone(&self.0.thread)));
            let before = {
                let mut place = self.0.pool.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::replace(&mut *place, pool)
            };
            // Outside of the lock: with the last pool of a version goes its code.
            drop(before);
        }
    }
}
