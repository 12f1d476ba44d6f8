//! Why two interfaces do not fit, in words.
//!
//! Owns the search for the first difference. Two types come in, a sentence goes out. It never
//! decides whether they fit: the subtype checker does, and its own words are used where no plainer
//! ones are found.

use std::collections::HashSet;

use wac_types::{
    DefinedType, FuncType, InterfaceId, ItemKind, SubtypeChecker, Type, Types, ValueType,
};

/// Nothing when `found` may stand for `expected`, else the first difference.
pub(super) fn difference(types: &Types, expected: ItemKind, found: ItemKind) -> Option<String> {
    let fault = subtype(types, expected, found)?;
    let words = match (expected, found) {
        (ItemKind::Instance(expected), ItemKind::Instance(found)) => {
            interface(types, expected, found)
        }
        (ItemKind::Func(expected), ItemKind::Func(found)) => {
            function("it", &types[expected], &types[found], types)
        }
        _ => None,
    };
    Some(words.unwrap_or(fault))
}

/// The checker's own words about a difference.
fn subtype(types: &Types, expected: ItemKind, found: ItemKind) -> Option<String> {
    let mut cache = HashSet::new();
    SubtypeChecker::new(&mut cache)
        .is_subtype(found, types, expected, types)
        .err()
        .map(|fault| format!("{fault:#}"))
}

fn interface(types: &Types, expected: InterfaceId, found: InterfaceId) -> Option<String> {
    let found = &types[found].exports;
    types[expected]
        .exports
        .iter()
        .find_map(|(name, expected)| match (expected, found.get(name)) {
            (ItemKind::Func(_), None) => Some(format!("function `{name}` is missing")),
            (_, None) => Some(format!("type `{name}` is missing")),
            (ItemKind::Func(expected), Some(ItemKind::Func(found))) => function(
                &format!("`{name}`"),
                &types[*expected],
                &types[*found],
                types,
            ),
            (ItemKind::Type(Type::Value(a)), Some(ItemKind::Type(Type::Value(b)))) => {
                value(types, *a, *b).map(|words| format!("type `{name}` differs: {words}"))
            }
            (expected, Some(found)) => {
                subtype(types, *expected, *found).map(|words| format!("`{name}` differs: {words}"))
            }
        })
}

fn function(name: &str, expected: &FuncType, found: &FuncType, types: &Types) -> Option<String> {
    let kind = |is_async| if is_async { "async" } else { "synchronous" };
    if expected.is_async != found.is_async {
        return Some(format!(
            "{name} differs: expected a function that is {}, found one that is {}",
            kind(expected.is_async),
            kind(found.is_async)
        ));
    }
    if expected.params.len() != found.params.len() {
        return Some(format!(
            "{name} differs: expected {} parameters, found {}",
            expected.params.len(),
            found.params.len()
        ));
    }
    let params = expected.params.iter().zip(&found.params);
    for ((expected_name, a), (found_name, b)) in params {
        if expected_name != found_name {
            return Some(format!(
                "a parameter of {name} differs: expected the name `{expected_name}`, found `{found_name}`"
            ));
        }
        if let Some(words) = value(types, *a, *b) {
            return Some(format!(
                "parameter `{expected_name}` of {name} differs: {words}"
            ));
        }
    }
    match (expected.result, found.result) {
        (Some(a), Some(b)) => {
            value(types, a, b).map(|words| format!("the result of {name} differs: {words}"))
        }
        (Some(a), None) => Some(format!(
            "the result of {name} differs: expected `{}`, found none",
            show(types, a)
        )),
        (None, Some(b)) => Some(format!(
            "the result of {name} differs: expected none, found `{}`",
            show(types, b)
        )),
        (None, None) => None,
    }
}

fn value(types: &Types, expected: ValueType, found: ValueType) -> Option<String> {
    let fault = subtype(types, ItemKind::Value(expected), ItemKind::Value(found))?;
    let (expected, found) = (show(types, expected), show(types, found));
    if expected == found {
        return Some(fault);
    }
    Some(format!("expected `{expected}`, found `{found}`"))
}

/// A type as WIT writes it, its parts included.
fn show(types: &Types, ty: ValueType) -> String {
    let id = match ty {
        ValueType::Primitive(primitive) => return primitive.desc().to_owned(),
        ValueType::Own(id) => return types[types.resolve_resource(id)].name.clone(),
        ValueType::Borrow(id) => {
            return format!("borrow<{}>", types[types.resolve_resource(id)].name);
        }
        ValueType::Defined(id) => id,
    };
    let part = |ty: &ValueType| show(types, *ty);
    let or_none = |ty: &Option<ValueType>| ty.as_ref().map_or_else(|| "_".to_owned(), part);
    let named = |name: &String, ty: &ValueType| format!("{name}: {}", show(types, *ty));
    match &types[id] {
        DefinedType::Alias(ty) => part(ty),
        DefinedType::List(ty) => format!("list<{}>", part(ty)),
        DefinedType::FixedSizeList(ty, length) => format!("list<{}, {length}>", part(ty)),
        DefinedType::Map(key, value) => format!("map<{}, {}>", part(key), part(value)),
        DefinedType::Option(ty) => format!("option<{}>", part(ty)),
        DefinedType::Stream(ty) => format!("stream<{}>", or_none(ty)),
        DefinedType::Future(ty) => format!("future<{}>", or_none(ty)),
        DefinedType::Result { ok, err } => format!("result<{}, {}>", or_none(ok), or_none(err)),
        DefinedType::Tuple(parts) => {
            format!("tuple<{}>", list(parts.iter().map(part)))
        }
        DefinedType::Record(record) => {
            let fields = record.fields.iter().map(|(name, ty)| named(name, ty));
            format!("record {{ {} }}", list(fields))
        }
        DefinedType::Variant(variant) => {
            let cases = variant.cases.iter().map(|(name, ty)| match ty {
                Some(ty) => format!("{name}({})", part(ty)),
                None => name.clone(),
            });
            format!("variant {{ {} }}", list(cases))
        }
        DefinedType::Enum(cases) => format!("enum {{ {} }}", list(cases.0.iter().cloned())),
        DefinedType::Flags(flags) => format!("flags {{ {} }}", list(flags.0.iter().cloned())),
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
