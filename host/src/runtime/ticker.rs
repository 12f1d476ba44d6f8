//! The clock of an Engine. Comes in: that there are Stores; goes out: an epoch that moves every millisecond
//! while there is one, and rests while there is none. Never looks into a Store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How often it is looked whether a guest has computed for long.
pub const TICK: Duration = Duration::from_millis(1);

/// Moves the epoch of an Engine until it is dropped.
pub struct Ticker {
    stop: Arc<AtomicBool>,
    beat: Beat,
    thread: Option<JoinHandle<()>>,
}

/// What whoever makes Stores keeps the epoch moving by.
#[derive(Clone)]
pub struct Beat {
    stores: Arc<AtomicUsize>,
    ticker: Thread,
}

/// Keeps the epoch moving until it is dropped.
pub struct Held(Arc<AtomicUsize>);

impl Ticker {
    /// Starts the thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stores = Arc::new(AtomicUsize::new(0));
        let work = {
            let (engine, stop, stores) = (engine.clone(), Arc::clone(&stop), Arc::clone(&stores));
            move || {
                while !stop.load(Ordering::SeqCst) {
                    // Whoever makes the first Store leaves a token that makes this return at once, even if
                    // it comes between the two.
                    match stores.load(Ordering::SeqCst) {
                        0 => thread::park(),
                        _ => thread::sleep(TICK),
                    }
                    engine.increment_epoch();
                }
            }
        };
        let thread = thread::Builder::new().name("epoch".into()).spawn(work)?;
        let ticker = thread.thread().clone();
        Ok(Self {
            stop,
            beat: Beat { stores, ticker },
            thread: Some(thread),
        })
    }

    /// For those who make Stores of this Engine.
    pub fn beat(&self) -> Beat {
        self.beat.clone()
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.beat.ticker.unpark();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Beat {
    /// Taken before a Store is made, and kept as long as it lives.
    pub fn hold(&self) -> Held {
        if self.stores.fetch_add(1, Ordering::SeqCst) == 0 {
            self.ticker.unpark();
        }
        Held(Arc::clone(&self.stores))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Instance, Module, Store, Trap};

    use super::*;

    /// A module that never ends by itself.
    const LOOP: &str = "(module (func (export \"run\") (loop br 0)))";

    #[test]
    fn the_epoch_moves_whenever_there_is_a_store() {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let module = Module::new(&engine, wat::parse_str(LOOP).unwrap()).unwrap();
        let ticker = Ticker::start(&engine).unwrap();
        // Each of them finds the clock at rest, or about to rest.
        for _ in 0..20 {
            let _held = ticker.beat().hold();
            let mut store = Store::new(&engine, ());
            store.set_epoch_deadline(2);
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance
                .get_typed_func::<(), ()>(&mut store, "run")
                .unwrap();
            let ended = run.call(&mut store, ()).unwrap_err();
            assert_eq!(ended.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
        }
        assert_eq!(ticker.beat.stores.load(Ordering::SeqCst), 0);
    }
}
