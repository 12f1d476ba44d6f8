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
    let selector = Selector {
        namespace: "fermyon".to_owned(),
        package: "hmac".to_owned(),
        interface: None,
        version: None,
    };
    Part {
        dependencies: vec![Link {
            selector,
            export: None,
            part: part("hmac"),
            inherit: Inherit::NOTHING,
        }],
        ..part("consumer")
    }
}

/// Links a part as the host does.
pub(super) fn link(part: &Part) -> Composed {
    compose(part, Served).unwrap()
}
