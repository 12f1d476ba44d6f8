//! The laws of linking: what fits is wired, what does not is said.

use super::{HMAC, KEY_VALUE, SQLITE, VARIABLES, from_text, from_wit, part, selector, words};
use crate::runtime::compose::{ComposeError, LinkedImport, Part, compose};

const NOTHING: &dyn Fn(&str) -> bool = &|_| false;
const HOST: &dyn Fn(&str) -> bool = &|name| name.starts_with("wasi:") || name.starts_with("spin:");

fn hmac() -> Part {
    from_wit(
        "hmac.wasm",
        &[
            HMAC,
            "package t:t; world guest { include fermyon:hmac/signing@0.1.0; }",
        ],
    )
}

fn producer() -> Part {
    let world = "package t:t; world guest {
        import fermyon:hmac/sign@0.1.0;
        import spin:sqlite/sqlite@3.1.0;
        import spin:key-value/key-value@3.0.0;
        import spin:variables/variables@3.0.0;
        export answer: async func() -> string;
    }";
    from_wit(
        "webhook-producer",
        &[HMAC, SQLITE, KEY_VALUE, VARIABLES, world],
    )
}

#[test]
fn both_packages_of_hmac_are_linked_from_one_component_which_stands_once() {
    const WEBHOOKS: &str = include_str!("../../../../../wit/deps/signet-webhooks/webhooks.wit");
    let world = "package t:t; world guest {
        import fermyon:hmac/verify@0.1.0;
        import signet:webhooks/standard@0.1.0;
        import signet:webhooks/senders@0.1.0;
        export answer: func() -> string;
    }";
    let hmac = part(
        "hmac.wasm",
        crate::builtin::component("hmac").expect("built"),
    );
    let root = from_wit("guest", &[HMAC, WEBHOOKS, world])
        .with("fermyon:hmac@0.1.0", &hmac)
        .with("signet:webhooks@0.1.0", &hmac);
    let composed = compose(&root, NOTHING).expect("composed");
    assert!(composed.inspect().imports.is_empty());
    let count = composed.bytes.len();
    assert!(count < 2 * hmac.bytes.len(), "{count} bytes");
}

#[test]
fn a_root_without_dependencies_is_unchanged() {
    let root = producer();
    let host = |name: &str| HOST(name) || name == "fermyon:hmac/sign@0.1.0";
    let composed = compose(&root, host).expect("composed");
    assert_eq!(composed.bytes[..], root.bytes[..]);
    assert!(composed.linked.is_empty() && composed.isolated.is_empty());
}

#[test]
fn one_interface_is_linked_and_async_functions_streams_and_resources_survive() {
    let root = producer().with("fermyon:hmac/sign@0.1.0", &hmac());
    let composed = compose(&root, HOST).expect("composed");
    let seen = composed.inspect();
    assert!(!seen.imports.contains(&"fermyon:hmac/sign@0.1.0".to_owned()));
    assert!(
        seen.imports
            .contains(&"spin:sqlite/sqlite@3.1.0".to_owned())
    );
    assert_eq!(seen.exports, ["answer"]);
    let sign = composed.linked.first().expect("a link");
    assert_eq!(
        (sign.into.as_str(), sign.from.as_str()),
        ("webhook-producer", "hmac.wasm")
    );
    assert!(composed.isolated.is_empty());
}

#[test]
fn a_whole_package_is_linked_with_its_types() {
    let world = "package t:t; world guest {
        import fermyon:hmac/types@0.1.0;
        import fermyon:hmac/sign@0.1.0;
        import fermyon:hmac/verify@0.1.0;
        export run: func();
    }";
    let root = from_wit("both", &[HMAC, world]).with("fermyon:hmac@0.1.0", &hmac());
    let composed = compose(&root, NOTHING).expect("composed");
    let working = |import: &&str| !import.contains("/types");
    assert_eq!(
        composed
            .linked
            .iter()
            .map(|link| link.import.as_str())
            .filter(working)
            .count(),
        2
    );
    assert!(
        composed
            .inspect()
            .imports
            .iter()
            .map(String::as_str)
            .all(|name| !working(&name))
    );
}

#[test]
fn any_version_of_the_track_is_linked() {
    let newer = HMAC.replace("fermyon:hmac@0.1.0", "fermyon:hmac@0.1.7");
    let newer = from_wit(
        "hmac.wasm",
        &[
            &newer,
            "package t:t; world guest { include fermyon:hmac/signing@0.1.7; }",
        ],
    );
    let composed = compose(&producer().with("fermyon:hmac@0.1.3", &newer), HOST).expect("composed");
    let sign = |link: &&LinkedImport| link.import == "fermyon:hmac/sign@0.1.0";
    let sign = composed.linked.iter().find(sign).expect("a link");
    assert_eq!(sign.export, "fermyon:hmac/sign@0.1.7");
}

#[test]
fn another_export_can_be_taken_by_name() {
    let other = HMAC.replace("fermyon:hmac", "other:mac");
    let other = from_wit(
        "other.wasm",
        &[
            &other,
            "package t:t; world guest { include other:mac/signing@0.1.0; }",
        ],
    );
    let root = producer()
        .with("fermyon:hmac/sign@0.1.0", &other)
        .but(|link| link.export = Some("other:mac/sign@0.1.0".to_owned()));
    let composed = compose(&root, HOST).expect("composed");
    assert_eq!(
        composed.linked.first().expect("a link").export,
        "other:mac/sign@0.1.0"
    );
}

#[test]
fn a_chain_is_linked_through() {
    let middle = "package t:t; world guest {
        import fermyon:hmac/sign@0.1.0;
        export fermyon:hmac/verify@0.1.0;
    }";
    let middle = from_wit("middle.wasm", &[HMAC, middle]).with("fermyon:hmac/sign@0.1.0", &hmac());
    let top = "package t:t; world guest { import fermyon:hmac/verify@0.1.0; export run: func(); }";
    let top = from_wit("top", &[HMAC, top]).with("fermyon:hmac/verify", &middle);
    let composed = compose(&top, NOTHING).expect("composed");
    let pairs: Vec<_> = composed
        .linked
        .iter()
        .map(|link| (link.into.as_str(), link.from.as_str()))
        .collect();
    assert!(pairs.contains(&("top", "middle.wasm")));
    assert!(pairs.contains(&("middle.wasm", "hmac.wasm")));
}

#[test]
fn a_dependency_named_twice_is_one_instance() {
    // A resource made through one interface is used through the other: that only fits when both
    // come from one instance.
    let wit = "package a:b@1.0.0;
        interface types { resource key { constructor(); } }
        interface one { use types.{key}; make: func() -> key; }
        interface two { use types.{key}; burn: func(key: key); }";
    let library = "package t:t; world guest {
        export a:b/types@1.0.0; export a:b/one@1.0.0; export a:b/two@1.0.0; }";
    let user = "package t:t; world guest {
        import a:b/one@1.0.0; import a:b/two@1.0.0; export run: func(); }";
    let library = from_wit("library.wasm", &[wit, library]);
    let root = from_wit("user", &[wit, user])
        .with("a:b/one@1.0.0", &library)
        .with("a:b/two@1.0.0", &library);
    let composed = compose(&root, NOTHING).expect("composed");
    assert_eq!(composed.linked.len(), 3);
    assert!(composed.inspect().imports.is_empty());
}

#[test]
fn an_interface_of_the_host_is_taken_from_elsewhere_only_when_asked_for() {
    let wit = "package spin:b@1.0.0;
        interface types { resource key { constructor(); } }";
    let own = "package c:d@1.0.0;
        interface one { use spin:b/types@1.0.0.{key}; make: func() -> key; }";
    let library = "package t:t; world guest { export spin:b/types@1.0.0; export c:d/one@1.0.0; }";
    let user = "package t:t; world guest { import c:d/one@1.0.0; export run: func(); }";
    let library = from_wit("library.wasm", &[wit, own, library]);
    let root = from_wit("user", &[wit, own, user]).with("c:d/one@1.0.0", &library);
    assert_eq!(
        words(compose(&root, HOST)),
        "c:d/one@1.0.0 of user is linked to library.wasm and uses the types of spin:b/types@1.0.0, which the host \
         has and library.wasm exports as well; to take both from library.wasm, declare it for \
         spin:b/types@1.0.0 too"
    );
    assert_eq!(compose(&root, NOTHING).expect("composed").linked.len(), 2);
    let asked = root.with("spin:b/types@1.0.0", &library);
    let composed = compose(&asked, HOST).expect("composed");
    assert_eq!(composed.linked.len(), 2);
    assert!(composed.inspect().imports.is_empty());
}

#[test]
fn a_selector_that_selects_nothing_is_refused() {
    let root = producer().with("fermyon:hmac@0.2.0", &hmac());
    assert_eq!(
        words(compose(&root, HOST)),
        "webhook-producer imports nothing of fermyon:hmac@0.2.0; \
         it imports fermyon:hmac/types@0.1.0, fermyon:hmac/sign@0.1.0"
    );
}

#[test]
fn an_export_of_another_version_is_refused_with_both() {
    let newer = HMAC.replace("fermyon:hmac@0.1.0", "fermyon:hmac@0.2.0");
    let newer = from_wit(
        "hmac.wasm",
        &[
            &newer,
            "package t:t; world guest { include fermyon:hmac/signing@0.2.0; }",
        ],
    );
    assert_eq!(
        words(compose(&producer().with("fermyon:hmac", &newer), HOST)),
        "hmac.wasm does not export fermyon:hmac/sign@0.1.0, which is to satisfy webhook-producer; \
         it exports fermyon:hmac/types@0.2.0, fermyon:hmac/sign@0.2.0, fermyon:hmac/verify@0.2.0"
    );
}

#[test]
fn an_import_whose_type_differs_is_refused_in_words() {
    let cases = [
        (
            "data: list<u8>, keyvalue: list<u8>) -> result<list<u8>, error>",
            "data: string, keyvalue: list<u8>) -> result<list<u8>, error>",
            "parameter `data` of `sign` differs: expected `list<u8>`, found `string`",
        ),
        (
            "keyvalue: list<u8>) -> result",
            "key: list<u8>) -> result",
            "a parameter of `sign` differs: expected the name `keyvalue`, found `key`",
        ),
        (
            "-> result<list<u8>, error>",
            "-> list<u8>",
            "the result of `sign` differs: expected `result<list<u8>, string>`, found `list<u8>`",
        ),
        ("sign: func", "sign-it: func", "function `sign` is missing"),
        (
            "sign: func",
            "sign: async func",
            "`sign` differs: expected a function that is synchronous, found one that is async",
        ),
    ];
    for (from, to, difference) in cases {
        let other = from_wit(
            "hmac.wasm",
            &[
                &HMAC.replacen(from, to, 1),
                "package t:t; world guest { include fermyon:hmac/signing@0.1.0; }",
            ],
        );
        assert_eq!(
            words(compose(&producer().with("fermyon:hmac", &other), HOST)),
            format!(
                "hmac.wasm exports fermyon:hmac/sign@0.1.0, which does not fit \
                 fermyon:hmac/sign@0.1.0 as webhook-producer imports it: {difference}; \
                 build both against the same WIT"
            )
        );
    }
}

#[test]
fn an_import_selected_twice_is_refused_unless_one_names_it() {
    let twice = producer()
        .with("fermyon:hmac@0.1.0", &hmac())
        .with("fermyon:hmac", &hmac());
    assert!(matches!(
        compose(&twice, HOST),
        Err(ComposeError::SelectedTwice { .. })
    ));
    let named = producer()
        .with("fermyon:hmac@0.1.0", &hmac())
        .with("fermyon:hmac/sign", &hmac());
    assert!(compose(&named, HOST).is_ok());
}

#[test]
fn one_export_does_not_stand_for_two_imports() {
    let world = "package t:t; world guest {
        import fermyon:hmac/sign@0.1.0;
        import fermyon:hmac/verify@0.1.0;
        export run: func();
    }";
    let root = from_wit("both", &[HMAC, world])
        .with("fermyon:hmac", &hmac())
        .but(|link| link.export = Some("fermyon:hmac/sign@0.1.0".to_owned()));
    assert!(matches!(
        compose(&root, HOST),
        Err(ComposeError::OneExportForMany { .. })
    ));
}

#[test]
fn every_import_that_nothing_provides_is_listed_with_what_is_near() {
    let both = "package t:t; world guest {
        import fermyon:hmac/sign@0.1.0;
        import fermyon:hmac/verify@0.1.0;
        import spin:variables/variables@3.0.0;
        export run: func();
    }";
    let root = from_wit("both", &[HMAC, VARIABLES, both]).with("fermyon:hmac/sign", &hmac());
    assert_eq!(
        words(compose(&root, NOTHING)),
        "both imports fermyon:hmac/verify@0.1.0, which nothing provides; hmac.wasm exports \
         fermyon:hmac/verify@0.1.0, but no dependency selects it: declare one that does\n\
         both imports spin:variables/variables@3.0.0, which nothing provides; link a component \
         that exports it, by `\"spin:variables@3.0.0\" = { path = \"variables.wasm\" }` in the dependencies of \
         both, or build both without it"
    );
}

#[test]
fn what_is_no_component_is_refused_by_name() {
    let module = from_text("hmac.wasm", "(module)");
    let empty = part("hmac.wasm", Vec::new());
    for wrong in [module, empty] {
        let root = producer().with("fermyon:hmac", &wrong);
        assert_eq!(
            words(compose(&root, HOST)),
            "hmac.wasm is not a component that can be linked"
        );
    }
}

#[test]
fn a_component_with_invalid_code_is_refused_by_name() {
    let mut bytes = hmac().bytes.to_vec();
    let end = bytes.len() - 1;
    bytes.truncate(end);
    let root = producer().with("fermyon:hmac", &part("hmac.wasm", bytes));
    assert!(words(compose(&root, HOST)).starts_with("hmac.wasm"));
}

#[test]
fn a_selector_reads_as_it_is_written() {
    for text in ["a:b", "a:b@1.0.0", "a:b/c", "a:b/c@0.1.0-rc.1"] {
        assert_eq!(selector(text).to_string(), text);
    }
}
