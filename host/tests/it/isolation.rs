//! What one instance leaves in memory, no other sees: at full speed, after each way an instance can end, for
//! both versions of WASI and with every way to allocate and to reset memory that the host has.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use signet::runtime::engine::{PoolSize, engine, one_by_one};
use signet::runtime::needs::Needs;
use signet::runtime::reset::{MemoryReset, Reset};
use tokio::task::JoinSet;
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Engine, Store};

use crate::support::{Connection, Host, fixture};

/// What the guests leave in their memory. They are told its complement: whoever searches never has it.
const MARK: [u8; 8] = *b"~Secret~";

/// How many connections ask at the same time.
const CONNECTIONS: usize = 8;

/// How many rounds each of them has.
const ROUNDS: usize = 12;

/// How instances end that have marks in their memory, how many MiB of it, and the status of their response.
const ENDS: &[(&str, usize, u16)] = &[
    ("answer", 0, 200),
    ("trap", 1, 500),
    ("answer", 6, 200),
    ("answer", 1, 200),
    ("trap", 12, 500),
    ("trap", 0, 500),
];

/// How the requests end that run until their deadline, while the others look around.
const LATE: &[(&str, usize)] = &[("sleep", 1), ("sleep", 9), ("loop", 0), ("loop", 5)];

/// A way to allocate instances, as changes to a host.
type Setting = (&'static str, fn(Host) -> Host);

/// Every way that is shipped.
const SETTINGS: &[Setting] = &[
    ("pool", |host| host),
    ("copy", |host| {
        host.host("[server]\nmemory_reset = \"copy\"")
    }),
    ("drop", |host| {
        host.host("[server]\nmemory_reset = \"drop\"")
    }),
    ("one by one", |host| host.watch()),
];

/// A host for the guest of WASI 0.2.
fn wasi_2() -> Host {
    Host::of(fixture("fixture-guest-p2"))
}

/// A host for the guest of WASI 0.3, with another memory in each of its instances.
fn wasi_3() -> Host {
    let probe = fixture("fixture-dependency");
    Host::of(fixture("fixture-guest")).link("fixture:test/probe", &probe, "")
}

fn look() -> String {
    format!("/look?{}", !u64::from_le_bytes(MARK))
}

fn scribble(end: &str, mebibytes: usize) -> String {
    format!("/scribble?{}&{mebibytes}&{end}", !u64::from_le_bytes(MARK))
}

/// A request's body that has nothing but marks.
fn marks() -> Bytes {
    Bytes::from(MARK.repeat(4096))
}

/// A client that asks again where the machine was too slow for the deadline.
struct Client {
    address: SocketAddr,
    connection: Connection,
}

impl Client {
    async fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: Connection::open(address).await,
        }
    }

    async fn ask(&mut self, path: &str, body: Bytes) -> (u16, String) {
        for _ in 0..20 {
            match self.connection.ask("POST", path, body.clone()).await {
                Some((504, _)) | None => self.connection = Connection::open(self.address).await,
                Some(answer) => return answer,
            }
        }
        panic!("{path} is never answered in time");
    }

    /// How often a guest that was asked to look found the mark.
    async fn seen(&mut self) -> usize {
        let body = Bytes::from_static(&[b'x'; 4096]);
        let (status, body) = self.ask(&look(), body).await;
        assert_eq!(status, 200, "{body}");
        body.parse().unwrap()
    }
}

/// Leaves marks and looks for them in turns.
async fn rounds(address: SocketAddr, number: usize) {
    let mut client = Client::new(address).await;
    for round in 0..ROUNDS {
        let (end, mebibytes, status) = ENDS[(number + round) % ENDS.len()];
        let path = scribble(end, mebibytes);
        let (got, body) = client.ask(&path, marks()).await;
        assert_eq!(got, status, "{path}");
        if status == 200 {
            // What is left is where a guest that looks would see it: statics, stack, heap, new pages, the body.
            let least = (mebibytes << 20) / 8 + 2 * 8192 + 80_000 + 500_000 + 4096;
            let (found, answer) = body.split_once(' ').unwrap();
            assert!(found.parse::<usize>().unwrap() >= least, "{found}");
            assert!(answer.bytes().eq(MARK.repeat(8192)));
        }
        assert_eq!(client.seen().await, 0, "after {path}");
    }
}

/// Leaves marks and ends by its deadline.
async fn late(address: SocketAddr, (end, mebibytes): (&str, usize)) {
    let mut connection = Connection::open(address).await;
    let path = scribble(end, mebibytes);
    let (status, _) = connection.ask("POST", &path, marks()).await.unwrap();
    assert_eq!(status, 504, "{path}");
    assert_eq!(Client::new(address).await.seen().await, 0, "after {path}");
}

fn block_on(task: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(task);
}

/// With each setting: many ask at once, and nobody finds a mark that is not his own.
fn fresh_instances_see_nothing(guest: fn() -> Host) {
    for (setting, set) in SETTINGS {
        eprintln!("{setting}");
        let host = set(guest())
            .with("tool.signet.max_reuse = 1")
            .with("tool.signet.request_timeout_ms = 4000")
            .start();
        let address = host.address();
        block_on(async {
            let mut tasks = JoinSet::new();
            for order in LATE {
                tasks.spawn(late(address, *order));
            }
            for number in 0..CONNECTIONS {
                tasks.spawn(rounds(address, number));
            }
            while let Some(ended) = tasks.join_next().await {
                ended.unwrap();
            }
        });
    }
}

#[test]
fn no_instance_of_wasi_0_2_sees_what_another_left_in_memory() {
    fresh_instances_see_nothing(wasi_2);
}

#[test]
fn no_fresh_instance_of_wasi_0_3_sees_what_another_left_in_memory() {
    fresh_instances_see_nothing(wasi_3);
}

/// How often an instance may be passed over before it is said that none is reused. Each look takes 4 MiB.
const LOOKS: usize = 10;

/// The tests above see what there is to see: of two requests to the same instance, the second one does.
#[test]
fn an_instance_that_is_reused_sees_what_it_left() {
    let guests: [fn() -> Host; 2] = [wasi_3, || {
        wasi_2().with("tool.signet.max_serial_reuse = 100")
    }];
    let settings = SETTINGS
        .iter()
        .flat_map(|setting| guests.map(|guest| (setting, guest)));
    for ((setting, set), guest) in settings {
        let host = set(guest().threads(1))
            .with("tool.signet.instance_idle_ms = 60000")
            .start();
        block_on(async {
            let mut client = Client::new(host.address()).await;
            assert_eq!(client.seen().await, 0, "{setting}");
            let (status, _) = client.ask(&scribble("answer", 6), marks()).await;
            assert_eq!(status, 200);
            // An instance that is not yet done with its answer when the next request comes is passed over, and on
            // a machine that is busy the other that took it has the next one as well.
            for _ in 0..LOOKS {
                if client.seen().await > (6 << 20) / 8 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("{setting}: none of {LOOKS} requests came to the instance that had served one");
        });
    }
}

/// Where a guest in Rust does not reach: a table, a global, and the first bytes of the memory. `fill` writes so
/// many of each, `look` counts what is not as it was in the beginning.
const BARE: &str = r#"(component
    (core module $m
        (table $t 5000 funcref)
        (memory 40)
        (data (i32.const 65536) "initialized")
        (global $g (mut i32) (i32.const 0))
        (func $f)
        (elem declare func $f)
        (func (export "fill") (param $count i32)
            (table.fill $t (i32.const 0) (ref.func $f) (local.get $count))
            (memory.fill (i32.const 0) (i32.const 255) (i32.mul (local.get $count) (i32.const 512)))
            (global.set $g (local.get $count)))
        (func (export "look") (result i32)
            (local $at i32) (local $seen i32)
            (local.set $seen (global.get $g))
            (loop $next
                (if (i32.eqz (ref.is_null (table.get $t (local.get $at))))
                    (then (local.set $seen (i32.add (local.get $seen) (i32.const 1)))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 5000))))
            (local.set $at (i32.const 0))
            (loop $next
                (if (i64.eq (i64.load (local.get $at)) (i64.const -1))
                    (then (local.set $seen (i32.add (local.get $seen) (i32.const 1)))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 2621440))))
            (local.get $seen)))
    (core instance $i (instantiate $m))
    (func (export "fill") (param "count" u32) (canon lift (core func $i "fill")))
    (func (export "look") (result u32) (canon lift (core func $i "look"))))"#;

/// The Engines behind [`SETTINGS`], sized as for `component`.
fn engines(component: &[u8]) -> Vec<Engine> {
    let pool = |asked| {
        let size = PoolSize {
            needs: Needs::of(component).unwrap(),
            instances: 64,
            memory: 8 << 20,
            reset: Reset::choose(asked),
        };
        engine(&size).unwrap()
    };
    let pools = MemoryReset::ALL.map(pool);
    pools.into_iter().chain([one_by_one().unwrap()]).collect()
}

/// One instance of the component.
struct Bare {
    store: Store<()>,
    instance: Instance,
}

impl Bare {
    fn new(component: &Component) -> Self {
        let mut store = Store::new(component.engine(), ());
        store.set_epoch_deadline(1_000_000);
        let linker = Linker::new(component.engine());
        let instance = linker.instantiate(&mut store, component).unwrap();
        Self { store, instance }
    }

    fn fill(&mut self, count: u32) {
        let fill = self
            .instance
            .get_typed_func::<(u32,), ()>(&mut self.store, "fill");
        fill.unwrap().call(&mut self.store, (count,)).unwrap();
    }

    fn look(&mut self) -> u32 {
        let look = self
            .instance
            .get_typed_func::<(), (u32,)>(&mut self.store, "look");
        look.unwrap().call(&mut self.store, ()).unwrap().0
    }
}

#[test]
fn tables_globals_and_the_beginning_of_the_memory_are_as_they_were() {
    let bytes = wat::parse_str(BARE).unwrap();
    for engine in engines(&bytes) {
        let component = Component::new(&engine, &bytes).unwrap();
        for count in [1, 100, 1000, 5000] {
            let mut filled: Vec<_> = (0..4).map(|_| Bare::new(&component)).collect();
            for instance in &mut filled {
                assert_eq!(instance.look(), 0);
                instance.fill(count);
                assert_eq!(instance.look(), count * (1 + 1 + 64));
            }
            drop(filled);
            // As many as there were, and some: whichever places they get, some of them are the same.
            let mut next: Vec<_> = (0..8).map(|_| Bare::new(&component)).collect();
            assert!(next.iter_mut().all(|instance| instance.look() == 0));
        }
    }
}
