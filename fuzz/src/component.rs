//! Components: strangers' bytes are inspected, counted and linked, or refused. The first byte of the
//! input says what it is: a component as it stands, or changes to one of the built-in ones, four bytes
//! each (where, three bytes; what, one byte), because bytes that nobody made are seldom a component.

use std::sync::Arc;

use signet::builtin;
use signet::runtime::compose::{Inherit, Link, Part, Selector, compose};
use signet::runtime::inspect::inspect;
use signet::runtime::linker::Served;
use signet::runtime::needs::Needs;
use wasmparser::{Validator, WasmFeatures};

/// Inspects, counts and links what the input describes.
pub fn component(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else {
        return;
    };
    match how % 4 {
        0 => read(rest, &[]),
        1 => read(&changed("hmac", rest), &[]),
        2 => read(&changed("consumer", rest), &[embedded("hmac")]),
        _ => read(embedded("consumer"), &[&changed("hmac", rest)]),
    }
}

/// Links `root` with `hmac`, if there is one.
fn read(root: &[u8], hmac: &[&[u8]]) {
    let _ = inspect(root);
    let _ = Needs::of(root);
    let root = Part {
        dependencies: hmac.iter().flat_map(|bytes| links(bytes)).collect(),
        ..part("root", root)
    };
    let sound = [root.bytes.as_ref()]
        .iter()
        .chain(hmac)
        .all(|bytes| is_valid(bytes));
    if let Ok(composed) = compose(&root, Served) {
        assert!(
            !sound || is_valid(&composed.bytes),
            "valid components became one that is not"
        );
        let _ = Needs::of(&composed.bytes);
    }
}

/// Both packages that `hmac` exports.
fn links(bytes: &[u8]) -> [Link; 2] {
    [("fermyon", "hmac"), ("signet", "webhooks")].map(|(namespace, package)| Link {
        selector: Selector {
            namespace: namespace.to_owned(),
            package: package.to_owned(),
            interface: None,
            version: None,
        },
        export: None,
        part: part("hmac", bytes),
        inherit: Inherit::NOTHING,
    })
}

fn part(name: &str, bytes: &[u8]) -> Part {
    Part {
        name: name.to_owned(),
        bytes: Arc::from(bytes),
        dependencies: Vec::new(),
    }
}

fn embedded(name: &str) -> &'static [u8] {
    builtin::component(name).unwrap_or_default()
}

/// The embedded component with these bytes changed.
fn changed(name: &str, changes: &[u8]) -> Vec<u8> {
    let mut bytes = embedded(name).to_vec();
    for change in changes.chunks_exact(4) {
        let at = u32::from_be_bytes([0, change[0], change[1], change[2]]) as usize % bytes.len();
        bytes[at] = change[3];
    }
    bytes
}

fn is_valid(bytes: &[u8]) -> bool {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .is_ok()
}
