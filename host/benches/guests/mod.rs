//! The built-in consumer and what it is linked with.

use signet::builtin;
use signet::runtime::compose::{Composed, Inherit, Link, Part, Selector, compose};
use signet::runtime::linker::Served;

fn part(name: &str) -> Part {
    Part {
        name: name.to_owned(),
        bytes: builtin::component(name).unwrap().into(),
        dependencies: Vec::new(),
    }
}

/// The consumer, to be linked with hmac.
pub(super) fn consumer() -> Part {
    let link = |(namespace, package): (&str, &str)| Link {
        selector: Selector {
            namespace: namespace.to_owned(),
            package: package.to_owned(),
            interface: None,
            version: None,
        },
        export: None,
        part: part("hmac"),
        inherit: Inherit::NOTHING,
    };
    let packages = [("fermyon", "hmac"), ("signet", "webhooks")];
    Part {
        dependencies: packages.map(link).into(),
        ..part("consumer")
    }
}

/// Links a part as the host does.
pub(super) fn link(part: &Part) -> Composed {
    compose(part, Served).unwrap()
}
