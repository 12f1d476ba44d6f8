//! Guests for the tests of linking, made from WIT or from text.
//!
//! Owns nothing but these makers; the laws stand in the files beside.

mod generated;
mod isolation;
mod linking;
mod refusal;
mod running;

use std::sync::Arc;

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::{Composed, Inherit, Link, Part, Selector};
use crate::runtime::inspect::{Inspection, inspect};

/// A component of the world `guest` of these packages, in which every function traps.
fn from_wit(name: &str, packages: &[&str]) -> Part {
    let mut resolve = Resolve::default();
    let mut last = None;
    for text in packages {
        last = Some(resolve.push_source("test.wit", text).expect("good WIT"));
    }
    let world = resolve
        .select_world(&[last.expect("a package")], Some("guest"))
        .expect("a world called guest");
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::AsyncCallback);
    let mut module = dummy_module(&resolve, world, abi);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let bytes = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .expect("a component");
    part(name, bytes)
}

/// A component written as text.
fn from_text(name: &str, text: &str) -> Part {
    part(name, wat::parse_str(text).expect("good text"))
}

fn part(name: &str, bytes: impl Into<Arc<[u8]>>) -> Part {
    Part {
        name: name.to_owned(),
        bytes: bytes.into(),
        dependencies: Vec::new(),
    }
}

/// `namespace:package/interface@version`, the last two where given.
fn selector(text: &str) -> Selector {
    let (path, version) = match text.split_once('@') {
        Some((path, version)) => (path, version.parse().ok()),
        None => (text, None),
    };
    let (package, interface) = match path.split_once('/') {
        Some((package, interface)) => (package, Some(interface.to_owned())),
        None => (path, None),
    };
    let (namespace, package) = package.split_once(':').expect("a namespace");
    Selector {
        namespace: namespace.to_owned(),
        package: package.to_owned(),
        interface,
        version,
    }
}

impl Part {
    /// The part, linked with one more that inherits nothing.
    fn with(mut self, select: &str, part: &Part) -> Self {
        self.dependencies.push(Link {
            selector: selector(select),
            export: None,
            part: part.clone(),
            inherit: Inherit::NOTHING,
        });
        self
    }

    /// The part, its last link changed.
    fn but(mut self, change: impl FnOnce(&mut Link)) -> Self {
        change(self.dependencies.last_mut().expect("a link"));
        self
    }
}

impl Composed {
    fn inspect(&self) -> Inspection {
        inspect(&self.bytes).expect("a component")
    }
}

/// The error's own words.
fn words<T>(result: Result<T, impl std::fmt::Display>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

const HMAC: &str = include_str!("../../../../../wit/deps/fermyon-hmac/hmac.wit");
const SQLITE: &str = include_str!("../../../../../wit/deps/spin-sqlite/sqlite.wit");
const KEY_VALUE: &str = include_str!("../../../../../wit/deps/spin-key-value/key-value.wit");
const QUEUE: &str = include_str!("../../../../../wit/deps/signet-queue/queue.wit");
const VARIABLES: &str = include_str!("../../../../../wit/deps/spin-variables/variables.wit");
