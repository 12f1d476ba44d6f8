//! What a guest is told that imports a platform this host knows and does not have.

use wasmtime::component::Val;

use super::running::{Asked, Running, case, err};
use super::{Part, from_text, part, words};
use crate::runtime::compose::{Host, Inherit, Link, compose};
use crate::runtime::linker::Served;
use crate::runtime::refused;

const REDIS: &str = r#"
    (export "connection" (type $connection (sub resource)))
    (type $error' (variant (case "invalid-address") (case "too-many-connections") (case "type-error") (case "other" string)))
    (export "error" (type $error (eq $error')))
    (export "[static]connection.open" (func (param "address" string)
        (result (result (own $connection) (error $error)))))
    (export "[method]connection.get" (func (param "self" (borrow $connection)) (param "key" string)
        (result (result (option (list u8)) (error $error)))))"#;

const LLM: &str = r#"
    (type $error' (variant (case "model-not-supported") (case "runtime-error" string) (case "invalid-input" string)))
    (export "error" (type $error (eq $error')))
    (export "infer" (func (param "model" string) (param "prompt" string)
        (result (result string (error $error)))))"#;

fn says(import: &str) -> Option<Val> {
    refused::words(import).map(|words| Val::String(words.to_owned()))
}

#[tokio::test]
async fn each_call_is_told_what_this_host_has_not() {
    let (redis, llm) = ("fermyon:spin/redis@2.0.0", "fermyon:spin/llm@2.0.0");
    let mut running = Running::refused(&[
        Asked {
            import: redis,
            exports: REDIS,
        },
        Asked {
            import: llm,
            exports: LLM,
        },
    ])
    .await;
    let text = |text: &str| Val::String(text.to_owned());
    let opened = running
        .ask_of(
            "lib:lib/api0@1.0.0",
            "[static]connection.open",
            &[text("redis://localhost")],
        )
        .await;
    assert_eq!(opened.unwrap(), err(case("other", says(redis))));
    let inferred = running
        .ask_of(
            "lib:lib/api1@1.0.0",
            "infer",
            &[text("llama"), text("hello")],
        )
        .await;
    assert_eq!(inferred.unwrap(), err(case("runtime-error", says(llm))));
}

/// A component that imports one interface, which has one function.
fn importing(name: &str, import: &str) -> Part {
    from_text(
        name,
        &format!(
            r#"(component
                (import "{import}" (instance $asked (export "ask" (func (result (result string (error string)))))))
                (export "lib:lib/api@1.0.0" (instance $asked)))"#
        ),
    )
}

#[test]
fn what_is_refused_is_listed_with_who_imports_it() {
    let root = importing("root", "spin:redis/redis@3.0.0");
    let composed = compose(&root, Served).unwrap();
    assert!(composed.inspect().imports.is_empty());
    let [refused] = &composed.refused[..] else {
        panic!("one import is refused: {:?}", composed.refused);
    };
    assert_eq!(
        (&*refused.part, &*refused.import),
        ("root", "spin:redis/redis@3.0.0")
    );
    assert!(refused.words.contains("Redis"));
}

#[test]
fn a_dependency_is_refused_the_same_whatever_it_inherits() {
    for inherit in [false, true] {
        let library = importing("library.wasm", "spin:redis/redis@3.0.0");
        let mut root = importing("root", "lib:lib/api@1.0.0");
        root.dependencies.push(Link {
            selector: super::selector("lib:lib@1.0.0"),
            export: None,
            part: library,
            inherit: if inherit {
                Inherit::ALL
            } else {
                Inherit::NOTHING
            },
        });
        let composed = compose(&root, Served).unwrap();
        assert_eq!(composed.refused[0].part, "library.wasm");
        assert!(composed.isolated.is_empty());
    }
}

#[test]
fn what_the_host_does_not_know_is_missing_and_not_refused() {
    let root = importing("root", "acme:redis/redis@3.0.0");
    assert!(words(compose(&root, Served)).contains("which nothing provides"));
}

#[test]
fn a_root_that_imports_nothing_refused_is_not_touched() {
    let bytes = wat::parse_str(r#"(component (import "wasi:io/poll@0.2.0" (instance)))"#).unwrap();
    let composed = compose(&part("root", bytes.clone()), Served).unwrap();
    assert_eq!(composed.bytes, bytes);
}

#[test]
fn a_dependency_may_stand_in_for_what_the_host_refuses() {
    let redis = from_text(
        "redis.wasm",
        r#"(component
            (import "ask" (func $ask (result (result string (error string)))))
            (instance $redis (export "ask" (func $ask)))
            (export "spin:redis/redis@3.0.0" (instance $redis)))"#,
    );
    let root = importing("root", "spin:redis/redis@3.0.0").with("spin:redis", &redis);
    let root = root.but(|link| link.inherit = Inherit::ALL);
    let known = |name: &str| name == "ask" || Served.provides(name);
    let composed = compose(&root, known).unwrap();
    assert!(composed.refused.is_empty());
}
