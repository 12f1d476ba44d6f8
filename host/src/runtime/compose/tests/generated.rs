//! Linking any components with any dependencies: what fits is wired, what is missing is named, what is
//! broken is refused.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wasmparser::{Validator, WasmFeatures};

use super::super::{ComposeError, Inherit, compose};
use super::{Part, from_wit, part};
use crate::builtin;
use crate::cases::cases;
use crate::runtime::linker::Served;

/// What becomes of one import of the root.
#[derive(Debug, Clone)]
enum Fate {
    /// The host provides it.
    Provided,
    /// Nobody does.
    Absent,
    /// A dependency exports it.
    Linked(Dependency),
    /// A dependency is named for it that does not export it.
    Wrong,
}

/// A dependency: whether it inherits, and of each of its imports, whether the host provides it.
#[derive(Debug, Clone)]
struct Dependency {
    inherit: bool,
    needs: Vec<bool>,
}

fn fate() -> impl Strategy<Value = Fate> {
    let needs = prop::collection::vec(prop::bool::weighted(0.8), 0..3);
    let linked = (any::<bool>(), needs)
        .prop_map(|(inherit, needs)| Fate::Linked(Dependency { inherit, needs }));
    prop_oneof![2 => Just(Fate::Provided), 1 => Just(Fate::Absent), 6 => linked, 1 => Just(Fate::Wrong)]
}

/// A component of the package `t:p` with these imports and exports.
fn component(name: &str, imports: &BTreeSet<String>, exports: &BTreeSet<String>) -> Part {
    let mut interfaces = String::new();
    for interface in imports.union(exports) {
        interfaces +=
            &format!("interface {interface} {{ f: func(a: list<u8>) -> result<string, u32>; }}\n");
    }
    let mut world = String::new();
    imports
        .iter()
        .for_each(|name| world += &format!("import {name};\n"));
    exports
        .iter()
        .for_each(|name| world += &format!("export {name};\n"));
    from_wit(
        name,
        &[&format!(
            "package t:p;\n{interfaces}\nworld guest {{\n{world}}}"
        )],
    )
}

fn set<T: ToString>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

/// What importing and exporting names of the package look like in a component.
fn full(name: &str) -> String {
    format!("t:p/{name}")
}

fn is_valid(bytes: &[u8]) -> bool {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .is_ok()
}

/// What linking these is to come to, and the components to link.
struct Case {
    root: Part,
    provided: BTreeSet<String>,
    missing: BTreeSet<(String, String)>,
    wrong: BTreeSet<String>,
    /// From import to dependency.
    linked: BTreeMap<String, String>,
    isolated: BTreeSet<String>,
}

fn case(fates: &[Fate]) -> Case {
    let import = |at: usize| format!("i{at}");
    let mut case = Case {
        root: component("root", &set((0..fates.len()).map(import)), &set(["out"])),
        provided: BTreeSet::new(),
        missing: BTreeSet::new(),
        wrong: BTreeSet::new(),
        linked: BTreeMap::new(),
        isolated: BTreeSet::new(),
    };
    for (at, fate) in fates.iter().enumerate() {
        let (import, name) = (import(at), format!("d{at}"));
        match fate {
            Fate::Provided => drop(case.provided.insert(full(&import))),
            Fate::Absent => drop(case.missing.insert(("root".to_owned(), full(&import)))),
            Fate::Wrong => {
                let dependency = component(&name, &set::<&str>([]), &set(["other"]));
                case.root = case.root.with(&full(&import), &dependency);
                case.wrong.insert(full(&import));
            }
            Fate::Linked(Dependency { inherit, needs }) => {
                let need = |number: usize| format!("n{at}x{number}");
                let dependency =
                    component(&name, &set((0..needs.len()).map(need)), &set([&import]));
                for (number, is_provided) in needs.iter().enumerate() {
                    let need = full(&need(number));
                    if *is_provided {
                        case.provided.insert(need);
                    } else {
                        case.missing.insert((name.clone(), need));
                    }
                }
                if !inherit && needs.contains(&true) {
                    case.isolated.insert(name.clone());
                }
                case.root = case.root.with(&full(&import), &dependency).but(|link| {
                    link.inherit = if *inherit {
                        Inherit::ALL
                    } else {
                        Inherit::NOTHING
                    }
                });
                case.linked.insert(full(&import), name);
            }
        }
    }
    case
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn what_fits_is_wired_and_what_is_missing_is_named(fates in prop::collection::vec(fate(), 1..5)) {
        let case = case(&fates);
        let composed = compose(&case.root, |name: &str| case.provided.contains(name));
        match composed {
            Err(ComposeError::NotExported { wanted, .. }) => prop_assert!(case.wrong.contains(&wanted)),
            Err(ComposeError::Missing(found)) => {
                prop_assert_eq!(case.wrong.len(), 0);
                let found: BTreeSet<_> = found.into_iter().map(|one| (one.part, one.import)).collect();
                prop_assert_eq!(found, case.missing);
            }
            Err(other) => prop_assert!(false, "{}", other),
            Ok(composed) => {
                prop_assert!(case.wrong.is_empty() && case.missing.is_empty());
                prop_assert!(is_valid(&composed.bytes));
                let linked = composed.linked.iter().map(|one| (one.import.clone(), one.from.clone()));
                prop_assert_eq!(linked.collect::<BTreeMap<_, _>>(), case.linked);
                let isolated: BTreeSet<_> = composed.isolated.iter().map(|one| one.part.clone()).collect();
                // What is isolated reaches the host no more, the others do.
                let seen = composed.inspect();
                let reached: BTreeSet<_> = seen.imports.into_iter().collect();
                let denied = composed.isolated.iter().flat_map(|one| one.denied.iter().cloned()).collect();
                prop_assert_eq!(&isolated, &case.isolated);
                prop_assert_eq!(reached, &case.provided - &denied);
                prop_assert_eq!(seen.exports, [full("out")]);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), is_wasm in any::<bool>()) {
        let head: &[u8] = if is_wasm { b"\0asm\x0d\0\x01\0" } else { b"" };
        let bytes = [head, &bytes].concat();
        if let Ok(composed) = compose(&part("any", bytes.clone()), |_: &str| true) {
            // A head without anything behind it is a component too, and few others are met by chance.
            prop_assert_eq!(composed.bytes, bytes);
        }
    }

    #[test]
    fn a_component_with_a_bit_flipped_is_linked_whole_or_refused(
        at in any::<prop::sample::Index>(),
        bit in 0..8,
        is_root in any::<bool>(),
    ) {
        let names = if is_root { ["consumer", "hmac"] } else { ["hmac", "consumer"] };
        let [flipped, whole] = names.map(|name| builtin::component(name).unwrap_or_default());
        let mut flipped = flipped.to_vec();
        // Types and imports stand before the code, links and exports behind it.
        let ends = flipped.len().min(0x1000);
        let at = match at.index(2 * ends) {
            start if start < ends => start,
            end => flipped.len() + end - 2 * ends,
        };
        flipped[at] ^= 1_u8 << bit;
        let sound = is_valid(&flipped);
        let (root, hmac) = if is_root { (&flipped[..], whole) } else { (whole, &flipped[..]) };
        let root = part("root", root).with("fermyon:hmac", &part("hmac", hmac));
        if let Ok(composed) = compose(&root, Served) {
            prop_assert!(!sound || is_valid(&composed.bytes));
        }
    }
}
