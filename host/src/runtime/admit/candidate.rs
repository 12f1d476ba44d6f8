//! The last candidate of WASI 0.3, `0.3.0-rc-2026-03-15`, whose interfaces are those of 0.3.0 in all but the
//! name. Comes in: a component; goes out: the same one with today's names at its surface. What is nested in it
//! is wired by position, and stays. Whether the types are really the same is for the linker to say.

use wasm_encoder::reencode::{ReencodeComponent as _, RoundtripReencoder};
use wasm_encoder::{
    ComponentExportSection, ComponentExternName, ComponentImportSection, ComponentSection as _,
    Encode as _,
};
use wasmparser::{BinaryReader, ComponentExportSectionReader, ComponentImportSectionReader};

use crate::runtime::inspect::Inspection;

const CANDIDATE: &str = "@0.3.0-rc-2026-03-15";
const FINAL: &str = "@0.3.0";
/// A version of the same track that nobody publishes. The linker serves a track as one, so it is a second name
/// for what 0.3.0 names.
const SECOND: &str = "@0.3.999999";

const MAGIC: usize = 8;
const IMPORTS: u8 = 10;
const EXPORTS: u8 = 11;

/// The component under today's names; none if it has no others, or cannot be read.
pub(super) fn renamed(component: &[u8], surface: &Inspection) -> Option<Vec<u8>> {
    let is_old = |name: &String| name.starts_with("wasi:") && name.ends_with(CANDIDATE);
    if !surface.imports.iter().chain(&surface.exports).any(is_old) {
        return None;
    }
    rewritten(component, surface)
}

/// Today's name: 0.3.0, or its second name where the surface has both.
fn today(name: &str, taken: &[String]) -> String {
    match name.strip_suffix(CANDIDATE) {
        Some(path) if name.starts_with("wasi:") => {
            let final_name = format!("{path}{FINAL}");
            if taken.contains(&final_name) {
                format!("{path}{SECOND}")
            } else {
                final_name
            }
        }
        _ => name.to_owned(),
    }
}

/// Copies the sections of the outermost layer, those of imports and of exports with other names.
fn rewritten(component: &[u8], surface: &Inspection) -> Option<Vec<u8>> {
    let mut written = component.get(..MAGIC)?.to_vec();
    let mut reader = BinaryReader::new(component.get(MAGIC..)?, 0);
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let length = reader.read_var_u32().ok()?;
        let section = reader.read_bytes(length as usize).ok()?;
        match id {
            IMPORTS => imports(section, &surface.imports)?.append_to_component(&mut written),
            EXPORTS => exports(section, &surface.exports)?.append_to_component(&mut written),
            _ => {
                written.push(id);
                section.encode(&mut written);
            }
        }
    }
    Some(written)
}

fn imports(section: &[u8], taken: &[String]) -> Option<ComponentImportSection> {
    let mut written = ComponentImportSection::new();
    for import in ComponentImportSectionReader::new(BinaryReader::new(section, 0)).ok()? {
        let import = import.ok()?;
        let ty = RoundtripReencoder.component_type_ref(import.ty).ok()?;
        written.import(named(&import.name, taken), ty);
    }
    Some(written)
}

fn exports(section: &[u8], taken: &[String]) -> Option<ComponentExportSection> {
    let mut written = ComponentExportSection::new();
    for export in ComponentExportSectionReader::new(BinaryReader::new(section, 0)).ok()? {
        let export = export.ok()?;
        let ty = match export.ty {
            Some(ty) => Some(RoundtripReencoder.component_type_ref(ty).ok()?),
            None => None,
        };
        let kind = RoundtripReencoder.component_export_kind(export.kind);
        written.export(named(&export.name, taken), kind, export.index, ty);
    }
    Some(written)
}

fn named<'a>(
    name: &wasmparser::ComponentExternName<'a>,
    taken: &[String],
) -> ComponentExternName<'a> {
    ComponentExternName {
        name: today(name.name, taken).into(),
        implements: name.implements.map(Into::into),
        version_suffix: name.version_suffix.map(Into::into),
        external_id: name.external_id.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use crate::runtime::inspect::inspect;

    fn renamed(component: &[u8]) -> Option<Vec<u8>> {
        super::renamed(component, &inspect(component).ok()?)
    }
    use crate::runtime::linker::provides;

    /// A component of that time with another one in it, which has its own surface.
    const OLD: &str = r#"(component
        (import "wasi:clocks/system-clock@0.3.0-rc-2026-03-15" (instance $clock
            (export "now" (func (result u64)))))
        (import "spin:key-value/key-value@3.0.0" (instance))
        (component $inner
            (import "wasi:clocks/system-clock@0.3.0-rc-2026-03-15" (instance $clock
                (export "now" (func (result u64)))))
            (export "now" (func $clock "now")))
        (instance $nested (instantiate $inner
            (with "wasi:clocks/system-clock@0.3.0-rc-2026-03-15" (instance $clock))))
        (export "wasi:http/handler@0.3.0-rc-2026-03-15" (instance $nested)))"#;

    #[test]
    fn the_surface_has_the_names_of_today_and_the_component_stays_valid() {
        let component = renamed(&wat::parse_str(OLD).unwrap()).unwrap();
        let surface = inspect(&component).unwrap();
        assert_eq!(
            surface.imports,
            [
                "wasi:clocks/system-clock@0.3.0",
                "spin:key-value/key-value@3.0.0"
            ]
        );
        assert_eq!(surface.exports, ["wasi:http/handler@0.3.0"]);
        wasmparser::Validator::new()
            .validate_all(&component)
            .unwrap();
        assert_eq!(renamed(&component), None);
    }

    /// SDKs that import whole platforms have the candidate and the final interfaces side by side.
    #[test]
    fn who_imports_both_has_two_names_that_the_host_serves() {
        let both = r#"(component
            (import "wasi:http/types@0.3.0-rc-2026-03-15" (instance))
            (import "wasi:http/types@0.3.0" (instance)))"#;
        let component = renamed(&wat::parse_str(both).unwrap()).unwrap();
        let surface = inspect(&component).unwrap();
        assert_eq!(
            surface.imports,
            ["wasi:http/types@0.3.999999", "wasi:http/types@0.3.0"]
        );
        assert!(surface.imports.iter().all(|name| provides(name)));
        wasmparser::Validator::new()
            .validate_all(&component)
            .unwrap();
    }

    #[test]
    fn other_candidates_stay_as_they_are() {
        for text in [
            r#"(component (import "wasi:http/types@0.3.0-rc-2025-09-16" (instance)))"#,
            r#"(component (import "acme:http/types@0.3.0-rc-2026-03-15" (instance)))"#,
            "(module)",
        ] {
            assert_eq!(renamed(&wat::parse_str(text).unwrap()), None, "{text}");
        }
        assert_eq!(renamed(b"nonsense"), None);
    }
}
