//! What a file of WebAssembly is, from its outermost layer.
//!
//! Owns telling a component from what looks like one, and reading the names at its surface. Bytes
//! come in; names, the version of WASI and the HTTP interface it exports go out. It never looks into
//! nested modules or components, never checks types, and never says whether an import is provided.

use std::fmt;

use thiserror::Error;
use wasmparser::{BinaryReaderError, ComponentExternalKind, Encoding, Parser, Payload};

/// The surface of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The names of the imports, in order.
    pub imports: Vec<String>,
    /// The names of the exports, in order.
    pub exports: Vec<String>,
    /// The WASI it was built for.
    pub wasi: Wasi,
    /// The interface through which it answers HTTP requests, if it does.
    pub http: Option<HttpExport>,
    /// Whether it exports a worker for its queues.
    pub works: bool,
}

/// The versions of WASI that a component names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wasi {
    /// None of its imports and exports is WASI's.
    None,
    /// 0.2, whichever patch.
    P2,
    /// 0.3, whichever patch or candidate.
    P3,
    /// Both at once.
    Mixed,
}

impl fmt::Display for Wasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no WASI",
            Self::P2 => "WASI 0.2",
            Self::P3 => "WASI 0.3",
            Self::Mixed => "WASI 0.2 and 0.3",
        })
    }
}

/// How a component answers HTTP requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpExport {
    /// `wasi:http/incoming-handler@0.2.x`.
    IncomingHandler,
    /// `wasi:http/handler@0.3.x`.
    Handler,
}

/// Why bytes are no component.
#[derive(Debug, Error)]
pub enum NotAComponent {
    /// The bytes are something else altogether.
    #[error("these {length} bytes are not WebAssembly: give the path of a .wasm file")]
    NotWasm {
        /// How many there are.
        length: usize,
    },
    /// A module whose author described its component in a custom section.
    #[error(
        "this is a core module that still describes its component, and has to be made one first"
    )]
    ModuleWithTypes,
    /// A module, and nothing more.
    #[error(
        "this is a core module: build it for a component target such as wasm32-wasip2, or make it a component with `wasm-tools component new`"
    )]
    Module,
    /// A package of interfaces and worlds.
    #[error("this is a WIT package, which has no code: give the component that implements it")]
    WitPackage,
    /// A component that ends too early or is broken.
    #[error("this is a component with a fault: build or copy it again")]
    Broken(#[source] BinaryReaderError),
}

/// Reads the surface of a component. Cheap: no code is decoded or checked.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, NotAComponent> {
    if !bytes.starts_with(b"\0asm") {
        return Err(NotAComponent::NotWasm {
            length: bytes.len(),
        });
    }
    let mut depth = 0_usize;
    let mut is_module = false;
    let mut described = false;
    let mut has_code = false;
    let mut only_types = true;
    let mut imports = Vec::new();
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(NotAComponent::Broken)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                has_code = true;
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            Payload::Version { encoding, .. } => is_module = encoding == Encoding::Module,
            Payload::CustomSection(section) => {
                described |= section.name().starts_with("component-type");
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(NotAComponent::Broken)?;
                    imports.push(import.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.map_err(NotAComponent::Broken)?;
                    only_types &= export.kind == ComponentExternalKind::Type;
                    exports.push(export.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    if is_module {
        return Err(match described {
            true => NotAComponent::ModuleWithTypes,
            false => NotAComponent::Module,
        });
    }
    if only_types && !has_code && imports.is_empty() && !exports.is_empty() {
        return Err(NotAComponent::WitPackage);
    }
    Ok(Inspection {
        wasi: wasi(imports.iter().chain(&exports)),
        http: exports.iter().find_map(|name| http(name)),
        works: exports.iter().any(|name| name == WORKER),
        imports,
        exports,
    })
}

fn wasi<'a>(names: impl Iterator<Item = &'a String>) -> Wasi {
    let (mut p2, mut p3) = (false, false);
    for name in names.filter(|name| name.starts_with("wasi:")) {
        // The drafts of wasi:keyvalue and wasi:config count in versions of their own.
        let own_version = name.starts_with("wasi:keyvalue/") || name.starts_with("wasi:config/");
        let version = name.split_once('@').map(|(_, version)| version);
        p2 |= !own_version && version.is_some_and(|version| version.starts_with("0.2."));
        p3 |= !own_version && version.is_some_and(|version| version.starts_with("0.3."));
    }
    match (p2, p3) {
        (false, false) => Wasi::None,
        (true, false) => Wasi::P2,
        (false, true) => Wasi::P3,
        (true, true) => Wasi::Mixed,
    }
}

/// What can answer HTTP requests, in words.
pub const HANDLERS: &str = "wasi:http/handler@0.3.0 or wasi:http/incoming-handler@0.2.x";

/// What works on the jobs of a component's queues.
pub const WORKER: &str = "signet:queue/worker@0.1.0";

fn http(export: &str) -> Option<HttpExport> {
    let (interface, version) = export.split_once('@')?;
    let version = semver::Version::parse(version).ok()?;
    // Candidates are called by nobody.
    let released = version.major == 0 && version.pre.is_empty();
    match (interface, version.minor) {
        ("wasi:http/incoming-handler", 2) if released => Some(HttpExport::IncomingHandler),
        ("wasi:http/handler", 3) if released => Some(HttpExport::Handler),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Result<Inspection, NotAComponent> {
        inspect(&wat::parse_str(text).expect("the test's own text"))
    }

    #[test]
    fn the_surface_is_read_and_what_is_nested_is_not() {
        let seen = look(
            r#"(component
                (import "wasi:io/poll@0.2.0" (instance))
                (component (import "wasi:clocks/wall-clock@0.3.0" (instance)))
                (instance $handler)
                (export "wasi:http/incoming-handler@0.2.6" (instance $handler)))"#,
        )
        .expect("a component");
        assert_eq!(seen.imports, ["wasi:io/poll@0.2.0"]);
        assert_eq!(seen.exports, ["wasi:http/incoming-handler@0.2.6"]);
        assert_eq!(seen.wasi, Wasi::P2);
        assert_eq!(seen.http, Some(HttpExport::IncomingHandler));
    }

    #[test]
    fn a_handler_of_0_3_beside_imports_of_0_2_is_mixed() {
        let seen = look(
            r#"(component
                (import "wasi:io/poll@0.2.0" (instance))
                (instance $handler)
                (export "wasi:http/handler@0.3.0" (instance $handler)))"#,
        )
        .expect("a component");
        assert_eq!(
            (seen.wasi, seen.http),
            (Wasi::Mixed, Some(HttpExport::Handler))
        );
    }

    #[test]
    fn a_draft_of_key_value_is_no_version_of_wasi() {
        let seen = look(r#"(component (import "wasi:keyvalue/store@0.2.0-draft" (instance)))"#)
            .expect("a component");
        assert_eq!((seen.wasi, seen.http), (Wasi::None, None));
    }

    #[test]
    fn what_is_no_component_is_named() {
        assert!(matches!(
            inspect(b"#!/bin/sh"),
            Err(NotAComponent::NotWasm { length: 9 })
        ));
        assert!(matches!(look("(module)"), Err(NotAComponent::Module)));
        assert!(matches!(
            look(r#"(module (@custom "component-type:x" "y"))"#),
            Err(NotAComponent::ModuleWithTypes)
        ));
        assert!(matches!(
            look(
                r#"(component (type (component (export "a:b/c" (instance)))) (export "c" (type 0)))"#
            ),
            Err(NotAComponent::WitPackage)
        ));
    }

    #[test]
    fn a_component_cut_short_is_broken() {
        let whole = wat::parse_str(r#"(component (core module (memory 1)) (core module))"#)
            .expect("the test's own text");
        let cut = whole.get(..whole.len() - 3).unwrap_or_default();
        assert!(matches!(inspect(cut), Err(NotAComponent::Broken(_))));
        assert!(matches!(
            inspect(b"\0asm\x0d\0"),
            Err(NotAComponent::Broken(_))
        ));
    }
}
