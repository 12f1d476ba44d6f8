//! Core modules of WASI 0.1 that carry the types of their component in custom sections, as older SDKs build
//! them. Comes in: such a module; goes out: the component. The calls of WASI 0.1 go through the adapter that
//! Wasmtime publishes.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wit_component::ComponentEncoder;

use super::AdmitError;

/// The component that a module describes.
pub(super) fn componentize(module: &[u8]) -> Result<Vec<u8>, AdmitError> {
    let mut encoder = ComponentEncoder::default();
    let component = encoder
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.adapter(NAME, ADAPTER))
        .and_then(ComponentEncoder::encode);
    component.map_err(|error| AdmitError {
        reason: format!("{error:#}"),
    })
}

#[cfg(test)]
mod tests {
    use wit_component::{StringEncoding, embed_component_metadata};
    use wit_parser::Resolve;

    use super::super::admit;
    use crate::runtime::inspect::{NotAComponent, Wasi, inspect};

    /// A module as an SDK builds it: it asks WASI 0.1 for random bytes and exports a function of its world.
    fn module() -> Vec<u8> {
        let mut module = wat::parse_str(
            r#"(module
                (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                (memory (export "memory") 1)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
                (func (export "roll") (result i32)
                    (drop (call $random (i32.const 0) (i32.const 4)))
                    (i32.load (i32.const 0))))"#,
        )
        .unwrap();
        let mut resolve = Resolve::default();
        let wit = "package old:guest; world guest { export roll: func() -> u32; }";
        let package = resolve.push_str("guest.wit", wit).unwrap();
        let world = resolve.select_world(&[package], Some("guest")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    }

    #[test]
    fn a_module_that_describes_its_component_becomes_one() {
        let module = module();
        assert!(matches!(
            inspect(&module),
            Err(NotAComponent::ModuleWithTypes)
        ));
        let component = admit(module.into()).unwrap();
        let surface = inspect(&component).unwrap();
        assert_eq!(surface.exports, ["roll"]);
        assert_eq!(surface.wasi, Wasi::P2);
        let random = "wasi:random/random@0.2.";
        assert!(surface.imports.iter().any(|name| name.starts_with(random)));
    }

    #[test]
    fn a_module_that_does_not_keep_its_word_is_refused() {
        let mut module = wat::parse_str("(module)").unwrap();
        let mut resolve = Resolve::default();
        let wit = "package old:guest; world guest { export roll: func() -> u32; }";
        let package = resolve.push_str("guest.wit", wit).unwrap();
        let world = resolve.select_world(&[package], Some("guest")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let error = admit(module.into()).unwrap_err().to_string();
        assert!(error.contains("roll"), "{error}");
    }

    #[test]
    fn what_is_a_component_or_nothing_at_all_stays_as_it_is() {
        for bytes in [
            wat::parse_str("(component)").unwrap(),
            wat::parse_str("(module)").unwrap(),
            b"#!/bin/sh".to_vec(),
        ] {
            assert_eq!(admit((&*bytes).into()).unwrap(), bytes);
        }
    }
}
