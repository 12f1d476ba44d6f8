//! The laws of isolation: a dependency reaches nothing it was not given.

use super::{HMAC, KEY_VALUE, QUEUE, SQLITE, VARIABLES, from_text, from_wit, words};
use crate::runtime::compose::{Composed, Inherit, Part, compose};

const HOST: &dyn Fn(&str) -> bool =
    &|name| !name.starts_with("lib:") && !name.starts_with("other:");

/// The parts of WASI that matter here, in small.
const WASI: &str = "
package wasi:cli@0.2.0;
interface environment {
    get-environment: func() -> list<tuple<string, string>>;
    initial-cwd: func() -> option<string>;
}
interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
package wasi:io@0.2.0 { interface streams { resource output-stream { flush: func(); } } }
package wasi:filesystem@0.2.0 {
    interface types { resource descriptor { sync: func(); } }
    interface preopens {
        use types.{descriptor};
        get-directories: func() -> list<tuple<descriptor, string>>;
    }
}
package wasi:sockets@0.2.0 {
    interface network { resource network; enum error-code { unknown, access-denied, timeout } }
    interface instance-network { use network.{network}; instance-network: func() -> network; }
    interface tcp { use network.{network}; resource tcp-socket { close: func(network: borrow<network>); } }
    interface tcp-create-socket {
        use network.{error-code};
        use tcp.{tcp-socket};
        create-tcp-socket: func(v6: bool) -> result<tcp-socket, error-code>;
    }
    interface ip-name-lookup {
        use network.{network, error-code};
        resource addresses { next: func() -> result<option<string>, error-code>; }
        resolve-addresses: func(network: borrow<network>, name: string) -> result<addresses, error-code>;
    }
}
package wasi:http@0.3.0 {
    interface types {
        variant error-code { DNS-timeout, HTTP-request-denied, internal-error(option<string>) }
        resource request { constructor(body: option<stream<u8>>); }
        resource response;
    }
    interface client {
        use types.{request, response, error-code};
        send: async func(request: request) -> result<response, error-code>;
    }
}
package wasi:keyvalue@0.2.0-draft {
    interface store {
        variant error { no-such-store, access-denied, other(string) }
        resource bucket { get: func(key: string) -> result<option<list<u8>>, error>; }
        open: func(identifier: string) -> result<bucket, error>;
    }
}
";

const LIB: &str = "package lib:lib@1.0.0; interface api { run: func(); }";

/// A dependency that imports everything, and the root that imports it.
fn greedy() -> (Part, Part) {
    let world = "package t:t; world guest {
        import wasi:cli/environment@0.2.0;
        import wasi:cli/stdout@0.2.0;
        import wasi:filesystem/preopens@0.2.0;
        import wasi:sockets/instance-network@0.2.0;
        import wasi:sockets/tcp@0.2.0;
        import wasi:sockets/tcp-create-socket@0.2.0;
        import wasi:sockets/ip-name-lookup@0.2.0;
        import wasi:http/client@0.3.0;
        import wasi:keyvalue/store@0.2.0-draft;
        import spin:sqlite/sqlite@3.1.0;
        import spin:key-value/key-value@3.0.0;
        import spin:variables/variables@3.0.0;
        import signet:queue/queue@0.1.0;
        export lib:lib/api@1.0.0;
    }";
    let greedy = from_wit(
        "greedy.wasm",
        &[WASI, SQLITE, KEY_VALUE, VARIABLES, QUEUE, LIB, world],
    );
    let root = "package t:t; world guest {
        import lib:lib/api@1.0.0;
        import spin:sqlite/sqlite@3.1.0;
        export run: func();
    }";
    (from_wit("root", &[SQLITE, LIB, root]), greedy)
}

fn imports(composed: &Composed, name: &str) -> bool {
    composed
        .inspect()
        .imports
        .iter()
        .any(|import| import.starts_with(name))
}

#[test]
fn a_dependency_that_inherits_nothing_is_denied_all_but_the_baseline() {
    let (root, greedy) = greedy();
    let composed = compose(&root.with("lib:lib@1.0.0", &greedy), HOST).expect("composed");
    let isolated = composed.isolated.first().expect("an isolated part");
    assert_eq!(isolated.part, "greedy.wasm");
    assert_eq!(
        isolated.denied,
        [
            "wasi:cli/environment@0.2.0",
            "wasi:filesystem/preopens@0.2.0",
            "wasi:sockets/tcp-create-socket@0.2.0",
            "wasi:sockets/ip-name-lookup@0.2.0",
            "wasi:http/client@0.3.0",
            "wasi:keyvalue/store@0.2.0-draft",
            "spin:sqlite/sqlite@3.1.0",
            "spin:key-value/key-value@3.0.0",
            "spin:variables/variables@3.0.0",
            "signet:queue/queue@0.1.0",
        ]
    );
    for denied in isolated
        .denied
        .iter()
        .filter(|name| !name.contains("sqlite"))
    {
        assert!(!imports(&composed, denied), "{denied}");
    }
    for kept in [
        "wasi:cli/stdout",
        "wasi:filesystem/types",
        "wasi:sockets/tcp@",
        "wasi:http/types",
    ] {
        assert!(imports(&composed, kept), "{kept}");
    }
    // The root has its own grants still.
    assert!(imports(&composed, "spin:sqlite/sqlite"));
}

/// All files of a package of `wit/deps`, as one text.
macro_rules! package {
    ($folder:literal: $($file:literal),+) => {
        concat!($(include_str!(concat!("../../../../../wit/deps/", $folder, "/", $file, ".wit")), "\n"),+)
    };
}

#[test]
fn a_dependency_is_denied_key_value_through_each_of_its_faces() {
    let packages = [
        package!("wasi-keyvalue-draft": "store", "atomics", "batch"),
        package!("wasi-keyvalue-draft2": "store", "atomics", "batch"),
        // The package's declaration stands in another of its files.
        concat!(
            "package fermyon:spin@2.0.0;\n",
            package!("fermyon-spin": "key-value")
        ),
    ];
    let mut denied = vec!["fermyon:spin/key-value@2.0.0".to_owned()];
    for interface in ["store", "atomics", "batch"] {
        denied.push(format!("wasi:keyvalue/{interface}@0.2.0-draft"));
        denied.push(format!("wasi:keyvalue/{interface}@0.2.0-draft2"));
    }
    let imported: String = denied
        .iter()
        .map(|name| format!("import {name};"))
        .collect();
    let world = format!("package t:t; world guest {{ {imported} export lib:lib/api@1.0.0; }}");
    let [draft, draft2, fermyon] = packages;
    let greedy = from_wit("greedy.wasm", &[draft, draft2, fermyon, LIB, &world]);
    let root = "package t:t; world guest { import lib:lib/api@1.0.0; export run: func(); }";
    let root = from_wit("root", &[LIB, root]).with("lib:lib@1.0.0", &greedy);
    let composed = compose(&root, HOST).expect("composed");
    for name in &denied {
        assert!(!imports(&composed, name), "{name}");
    }
    let isolated = composed.isolated.first().expect("an isolated part");
    let mut said = isolated.denied.clone();
    said.sort();
    denied.sort();
    assert_eq!(said, denied);
}

#[test]
fn a_dependency_that_inherits_reaches_the_host() {
    let (root, greedy) = greedy();
    let root = root
        .with("lib:lib@1.0.0", &greedy)
        .but(|link| link.inherit = Inherit::ALL);
    let composed = compose(&root, HOST).expect("composed");
    assert!(composed.isolated.is_empty());
    for import in ["wasi:cli/environment", "wasi:http/client", "spin:key-value"] {
        assert!(imports(&composed, import), "{import}");
    }
}

#[test]
fn a_dependency_that_inherits_some_reaches_those_alone() {
    let (root, greedy) = greedy();
    let some = ["key_value_stores", "files"].map(|kind| Inherit::kind(kind).unwrap());
    let root = root
        .with("lib:lib@1.0.0", &greedy)
        .but(|link| link.inherit = some[0].or(some[1]));
    let composed = compose(&root, HOST).expect("composed");
    assert_eq!(
        composed.isolated.first().expect("an isolated part").denied,
        [
            "wasi:cli/environment@0.2.0",
            "wasi:sockets/tcp-create-socket@0.2.0",
            "wasi:sockets/ip-name-lookup@0.2.0",
            "wasi:http/client@0.3.0",
            "spin:sqlite/sqlite@3.1.0",
            "spin:variables/variables@3.0.0",
            "signet:queue/queue@0.1.0",
        ]
    );
    for import in [
        "spin:key-value",
        "wasi:keyvalue",
        "wasi:filesystem/preopens",
    ] {
        assert!(imports(&composed, import), "{import}");
    }
}

#[test]
fn a_dependency_inherits_no_more_than_its_dependent() {
    let middle = "package t:t; world guest {
        import lib:lib/api@1.0.0; export other:other/api@1.0.0; }";
    let other = "package other:other@1.0.0; interface api { run: func(); }";
    let (_, greedy) = greedy();
    let middle = from_wit("middle.wasm", &[LIB, other, middle])
        .with("lib:lib", &greedy)
        .but(|link| link.inherit = Inherit::ALL);
    let root = "package t:t; world guest { import other:other/api@1.0.0; export run: func(); }";
    let root = from_wit("root", &[other, root])
        .with("other:other", &middle)
        .but(|link| link.inherit = Inherit::kind("environment").unwrap());
    let composed = compose(&root, HOST).expect("composed");
    assert!(imports(&composed, "wasi:cli/environment"));
    assert!(!imports(&composed, "spin:sqlite") && !imports(&composed, "wasi:http/client"));
}

#[test]
fn what_inherits_from_an_isolated_part_inherits_nothing() {
    let middle = "package t:t; world guest {
        import lib:lib/api@1.0.0; export other:other/api@1.0.0; }";
    let other = "package other:other@1.0.0; interface api { run: func(); }";
    let (_, greedy) = greedy();
    let middle = from_wit("middle.wasm", &[LIB, other, middle])
        .with("lib:lib", &greedy)
        .but(|link| link.inherit = Inherit::ALL);
    let root = "package t:t; world guest { import other:other/api@1.0.0; export run: func(); }";
    let root = from_wit("root", &[other, root]).with("other:other", &middle);
    let composed = compose(&root, HOST).expect("composed");
    assert!(!imports(&composed, "spin:sqlite"));
    assert!(!imports(&composed, "wasi:cli/environment"));
}

#[test]
fn what_an_isolated_part_links_itself_is_not_denied() {
    let hmac = from_wit(
        "hmac.wasm",
        &[
            HMAC,
            "package t:t; world guest { include fermyon:hmac/signing@0.1.0; }",
        ],
    );
    let world = "package t:t; world guest {
        import fermyon:hmac/sign@0.1.0;
        import spin:variables/variables@3.0.0;
        export lib:lib/api@1.0.0;
    }";
    let library =
        from_wit("library.wasm", &[HMAC, VARIABLES, LIB, world]).with("fermyon:hmac/sign", &hmac);
    let (root, _) = greedy();
    let composed = compose(&root.with("lib:lib", &library), HOST).expect("composed");
    let isolated = composed.isolated.first().expect("an isolated part");
    assert_eq!(isolated.denied, ["spin:variables/variables@3.0.0"]);
}

#[test]
fn types_of_a_linked_interface_are_the_same_for_the_denials() {
    let shared = "package other:other@1.0.0; interface types { resource token { constructor(); } }";
    let gate = "package gate:gate@1.0.0; interface gate {
        use other:other/types@1.0.0.{token};
        pass: func(token: token, seen: option<borrow<token>>) -> result<token, string>;
    }";
    let maker = from_wit(
        "maker.wasm",
        &[
            shared,
            "package t:t; world guest { export other:other/types@1.0.0; }",
        ],
    );
    let world =
        "package t:t; world guest { import gate:gate/gate@1.0.0; export lib:lib/api@1.0.0; }";
    let library = from_wit("library.wasm", &[shared, gate, LIB, world])
        .with("other:other/types@1.0.0", &maker);
    let (root, _) = greedy();
    let composed = compose(&root.with("lib:lib", &library), HOST).expect("composed");
    assert!(!imports(&composed, "other:other/types"));
    assert!(!imports(&composed, "gate:gate/gate"));
}

#[test]
fn what_the_host_does_not_have_is_missing_and_not_denied() {
    let world =
        "package t:t; world guest { import other:other/api@1.0.0; export lib:lib/api@1.0.0; }";
    let other = "package other:other@1.0.0; interface api { run: func(); }";
    let library = from_wit("library.wasm", &[other, LIB, world]);
    let root = from_wit(
        "root",
        &[
            LIB,
            "package t:t; world guest { import lib:lib/api@1.0.0; export run: func(); }",
        ],
    );
    assert_eq!(
        words(compose(&root.with("lib:lib", &library), HOST)),
        "library.wasm imports other:other/api@1.0.0, which nothing provides; link a component that \
         exports it, by `\"other:other@1.0.0\" = { path = \"other.wasm\" }` in the dependencies of library.wasm, or \
         build library.wasm without it"
    );
}

#[test]
fn a_bare_function_cannot_be_denied_and_says_so() {
    let library = from_text(
        "library.wasm",
        r#"(component
            (import "reach" (func $reach))
            (instance $api (export "run" (func $reach)))
            (export "lib:lib/api@1.0.0" (instance $api)))"#,
    );
    let root = from_wit(
        "root",
        &[
            LIB,
            "package t:t; world guest { import lib:lib/api@1.0.0; export run: func(); }",
        ],
    );
    assert!(
        words(compose(&root.with("lib:lib", &library), HOST))
            .starts_with("library.wasm cannot be isolated from what it imports")
    );
}

#[test]
fn versions_of_one_track_share_one_import() {
    let newer = WASI.replace("@0.2.0", "@0.2.6");
    let world = "package t:t; world guest {
        import wasi:cli/stdout@0.2.6;
        import wasi:filesystem/preopens@0.2.6;
        import lib:lib/api@1.0.0;
        export run: func();
    }";
    let (_, greedy) = greedy();
    let root = from_wit("root", &[&newer, LIB, world]).with("lib:lib", &greedy);
    let composed = compose(&root, HOST).expect("composed");
    assert!(imports(&composed, "wasi:io/streams@0.2.6"));
    assert!(!imports(&composed, "wasi:io/streams@0.2.0"));
    // The root's own grant stays, and is the root's alone.
    assert!(imports(&composed, "wasi:filesystem/preopens@0.2.6"));
}
