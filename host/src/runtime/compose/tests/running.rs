//! The denials, run: what an isolated dependency is told when it asks.
//!
//! The components here have no code of their own. A dependency hands on what it imports, the root
//! hands on what the dependency exports, so the call a test makes arrives at the denial itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::component::{Component, Linker, Resource, ResourceAny, ResourceType, Val};
use wasmtime::{Config, Engine, Store};

use super::from_text;
use crate::runtime::compose::{Composed, Host, compose};
use crate::runtime::refused;

/// What a dependency imports and hands on.
pub(super) struct Asked<'a> {
    /// The name of the interface.
    pub(super) import: &'a str,
    /// What is in it, as text.
    pub(super) exports: &'a str,
}

/// A host that has the network and refuses the rest.
struct Refuses;

impl Host for Refuses {
    fn provides(&self, import: &str) -> bool {
        import.starts_with("wasi:sockets/")
    }

    fn refuses(&self, import: &str) -> Option<&'static str> {
        refused::words(import)
    }

    fn versions(&self, _: &str) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A resource of the host.
struct Token;

/// What the host has: a resource, called a network.
const NETWORK: &str = r#"(import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))))
    (alias export $network "network" (type $token))"#;

pub(super) struct Running {
    store: Store<()>,
    instance: wasmtime::component::Instance,
    /// How many of the host's resources were dropped.
    dropped: Arc<AtomicUsize>,
}

impl Running {
    async fn new(asked: &Asked<'_>) -> Self {
        let Asked { import, exports } = asked;
        let library = format!(
            r#"(component {NETWORK}
                (import "{import}" (instance $asked {exports}))
                (export "lib:lib/api@1.0.0" (instance $asked)))"#
        );
        let root = format!(
            r#"(component {NETWORK}
                (import "lib:lib/api@1.0.0" (instance $asked {exports}))
                (export "lib:lib/api@1.0.0" (instance $asked)))"#
        );
        let library = from_text("library.wasm", &library);
        let root = from_text("root", &root).with("lib:lib@1.0.0", &library);
        let composed = compose(&root, |_: &str| true).expect("composed");
        assert!(!composed.inspect().imports.contains(&import.to_string()));
        Self::of(&composed).await
    }

    /// A root that hands on what this host refuses.
    pub(super) async fn refused(asked: &[Asked<'_>]) -> Self {
        let (mut imports, mut exports) = (String::new(), String::new());
        for (
            at,
            Asked {
                import,
                exports: own,
            },
        ) in asked.iter().enumerate()
        {
            imports += &format!(r#"(import "{import}" (instance $asked{at} {own}))"#);
            exports += &format!(r#"(export "lib:lib/api{at}@1.0.0" (instance $asked{at}))"#);
        }
        let root = format!("(component {NETWORK} {imports} {exports})");
        let root = from_text("root", &root);
        let composed = compose(&root, Refuses).expect("composed");
        assert_eq!(composed.refused.len(), asked.len());
        Self::of(&composed).await
    }

    async fn of(composed: &Composed) -> Self {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).expect("an engine");
        let component = Component::new(&engine, &composed.bytes).expect("a component");
        let dropped = Arc::new(AtomicUsize::new(0));
        let mut linker = Linker::new(&engine);
        let count = Arc::clone(&dropped);
        linker
            .instance("wasi:sockets/network@0.2.0")
            .and_then(|mut instance| {
                instance.resource("network", ResourceType::host::<Token>(), move |_, _| {
                    count.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            })
            .expect("a resource");
        let mut store = Store::new(&engine, ());
        let instance = linker
            .instantiate_async(&mut store, &component)
            .await
            .expect("an instance");
        Self {
            store,
            instance,
            dropped,
        }
    }

    /// Calls a function of the root, and so its denial.
    async fn ask(&mut self, function: &str, params: &[Val]) -> wasmtime::Result<Val> {
        self.ask_of("lib:lib/api@1.0.0", function, params).await
    }

    /// The same, of another interface.
    pub(super) async fn ask_of(
        &mut self,
        interface: &str,
        function: &str,
        params: &[Val],
    ) -> wasmtime::Result<Val> {
        let interface = self
            .instance
            .get_export_index(&mut self.store, None, interface);
        let index = self
            .instance
            .get_export_index(&mut self.store, interface.as_ref(), function)
            .expect("the function");
        let func = self
            .instance
            .get_func(&mut self.store, index)
            .expect("a function");
        let mut results = [Val::Bool(true)];
        func.call_async(&mut self.store, params, &mut results)
            .await?;
        let [result] = results;
        Ok(result)
    }
}

fn message() -> Val {
    Val::String(
        "access denied: a dependency inherits nothing unless the manifest says so".to_owned(),
    )
}

pub(super) fn err(value: Val) -> Val {
    Val::Result(Err(Some(Box::new(value))))
}

pub(super) fn case(name: &str, payload: Option<Val>) -> Val {
    Val::Variant(name.to_owned(), payload.map(Box::new))
}

#[tokio::test]
async fn the_environment_is_empty() {
    let mut running = Running::new(&Asked {
        import: "wasi:cli/environment@0.2.0",
        exports: r#"
            (export "get-environment" (func (result (list (tuple string string)))))
            (export "initial-cwd" (func (result (option string))))"#,
    })
    .await;
    let environment = running
        .ask("get-environment", &[])
        .await
        .expect("an answer");
    assert_eq!(environment, Val::List(Vec::new()));
    let cwd = running.ask("initial-cwd", &[]).await.expect("an answer");
    assert_eq!(cwd, Val::Option(None));
}

#[tokio::test]
async fn opening_a_store_is_access_denied_and_async_functions_answer_at_once() {
    let mut running = Running::new(&Asked {
        import: "spin:key-value/key-value@3.0.0",
        exports: r#"
            (export "store" (type $store (sub resource)))
            (type $error' (variant (case "store-table-full") (case "no-such-store")
                (case "access-denied") (case "other" string)))
            (export "error" (type $error (eq $error')))
            (export "[static]store.open" (func async (param "label" string)
                (result (result (own $store) (error $error)))))"#,
    })
    .await;
    // Longer than a page, so that there must be room made for it.
    for label in ["default".to_owned(), "x".repeat(200_000)] {
        let answer = running
            .ask("[static]store.open", &[Val::String(label)])
            .await;
        assert_eq!(answer.expect("an answer"), err(case("access-denied", None)));
    }
}

#[tokio::test]
async fn every_shape_of_result_has_its_denial() {
    let shapes = [
        ("bool", Val::Bool(false)),
        ("u8", Val::U8(0)),
        ("s64", Val::S64(0)),
        ("f32", Val::Float32(0.0)),
        ("f64", Val::Float64(0.0)),
        ("char", Val::Char('\0')),
        ("string", Val::String(String::new())),
        ("(list u8)", Val::List(Vec::new())),
        ("(option u64)", Val::Option(None)),
        ("(result)", Val::Result(Err(None))),
        ("(result u64)", Val::Result(Err(None))),
        ("(result (error string))", err(message())),
        ("(result u64 (error string))", err(message())),
        (
            "(result u8 (error (option string)))",
            err(Val::Option(None)),
        ),
        (
            "(result u64 (error (tuple u8 string u16)))",
            err(Val::Tuple(vec![Val::U8(0), message(), Val::U16(0)])),
        ),
        ("$wordy", case("config", Some(Val::String(String::new())))),
        (
            "(result (error $wordy))",
            err(case("config", Some(message()))),
        ),
        (
            "(result $prohibited (error $prohibited))",
            err(case("HTTP-request-denied", Some(Val::Option(None)))),
        ),
        ("$code", Val::Enum("access-denied".to_owned())),
        (
            "(result f64 (error $code))",
            err(Val::Enum("access-denied".to_owned())),
        ),
        ("$plain", Val::Enum("other".to_owned())),
        ("$flags", Val::Flags(Vec::new())),
        (
            "$record",
            Val::Record(vec![
                ("a".to_owned(), Val::U8(0)),
                ("b".to_owned(), Val::U64(0)),
                ("c".to_owned(), Val::String(String::new())),
                ("d".to_owned(), err(message())),
            ]),
        ),
    ];
    let mut exports = r#"
        (type $wordy' (variant (case "io" u64) (case "upstream" string) (case "config" string) (case "none")))
        (export "wordy" (type $wordy (eq $wordy')))
        (type $prohibited' (variant (case "a") (case "HTTP-request-denied" (option string)) (case "b" u64)))
        (export "prohibited" (type $prohibited (eq $prohibited')))
        (type $code' (enum "unknown" "denied-once" "access-denied" "other"))
        (export "code" (type $code (eq $code')))
        (type $plain' (enum "none" "other"))
        (export "plain" (type $plain (eq $plain')))
        (type $flags' (flags "a" "b"))
        (export "flags" (type $flags (eq $flags')))
        (type $record' (record (field "a" u8) (field "b" u64) (field "c" string) (field "d" (result (error string)))))
        (export "record" (type $record (eq $record')))"#
        .to_owned();
    for (at, (shape, _)) in shapes.iter().enumerate() {
        exports += &format!("(export \"f{at}\" (func (result {shape})))");
    }
    let mut running = Running::new(&Asked {
        import: "shapes:shapes/shapes@1.0.0",
        exports: &exports,
    })
    .await;
    for (at, (shape, expected)) in shapes.into_iter().enumerate() {
        let answer = running
            .ask(&format!("f{at}"), &[])
            .await
            .expect("an answer");
        assert_eq!(answer, expected, "{shape}");
    }
}

#[tokio::test]
async fn a_borrow_is_given_back_and_an_own_is_dropped() {
    let mut running = Running::new(&Asked {
        import: "wasi:sockets/ip-name-lookup@0.2.0",
        exports: r#"
            (alias outer 1 $token (type $token))
            (export "network" (type $network (eq $token)))
            (export "look" (func (param "name" string) (param "network" (borrow $network))
                (result (result u64 (error string)))))
            (export "keep" (func (param "none" (option (own $network))) (param "network" (own $network))
                (result (result u64 (error string)))))"#,
    })
    .await;
    let network = Resource::<Token>::new_own(7);
    let network = ResourceAny::try_from_resource(network, &mut running.store).expect("a network");
    let network = Val::Resource(network);
    let borrowed = [Val::String("example.com".to_owned()), network.clone()];
    let answer = running.ask("look", &borrowed).await;
    assert_eq!(answer.expect("an answer"), err(message()));
    assert_eq!(running.dropped.load(Ordering::SeqCst), 0);
    let given = [Val::Option(None), network];
    let answer = running.ask("keep", &given).await;
    assert_eq!(answer.expect("an answer"), err(message()));
    assert_eq!(running.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_cannot_be_made_is_a_trap() {
    let mut running = Running::new(&Asked {
        import: "maker:maker/maker@1.0.0",
        exports: r#"
            (export "thing" (type $thing (sub resource)))
            (export "[constructor]thing" (func (result (own $thing))))"#,
    })
    .await;
    assert!(running.ask("[constructor]thing", &[]).await.is_err());
}
