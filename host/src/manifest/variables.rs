//! `[variables]` of an app and the templates that name them. Comes in: tables; goes out: declarations,
//! and templates that name only what is declared. Never looks for a value.

use std::collections::BTreeSet;

use super::reader::{Item, Table};
use super::spelling;
use crate::capability::variables::{Declaration, Declarations, Template, check_name};

/// The names that templates may use. A variable whose declaration has a mistake is still one of them, so
/// that one mistake is reported once.
pub(super) type Names<'s> = BTreeSet<&'s str>;

/// The names under `[variables]`.
pub(super) fn names<'s>(variables: &[Item<'s>]) -> Names<'s> {
    variables.iter().map(|item| item.key).collect()
}

/// The declarations under `[variables]`.
pub(super) fn declarations(variables: &[Item<'_>]) -> Declarations {
    let declared = variables
        .iter()
        .filter_map(|item| Some((item.key.to_owned(), declaration(item)?)));
    declared.collect()
}

fn declaration(item: &Item<'_>) -> Option<Declaration> {
    named(item);
    let table = item.table()?;
    table.only(&["description", "required", "default", "secret"]);
    table.text("description");
    let flag = |key| {
        table
            .get(key)
            .and_then(|item| item.boolean())
            .unwrap_or(false)
    };
    let (required, secret) = (flag("required"), flag("secret"));
    match (required, table.get("default")) {
        (false, None) => item.source.mistake(
            &item.key_at,
            format!(
                "variable `{}` has no value: give it a `default`, or write `required = true`",
                item.key
            ),
        ),
        (true, Some(default)) => default.source.mistake(
            &default.key_at,
            format!(
                "variable `{}` is required and has a default: leave one of the two out",
                item.key
            ),
        ),
        (true, None) | (false, Some(_)) => {}
    }
    Some(Declaration {
        default: table.text("default").map(str::to_owned),
        secret,
    })
}

/// Whether the key of `item` can name a variable; a mistake if not.
pub(super) fn named(item: &Item<'_>) -> bool {
    let named = check_name(item.key);
    if let Err(error) = &named {
        item.source.mistake(&item.key_at, error.to_string());
    }
    named.is_ok()
}

/// The template that a text of a manifest is, or mistakes there.
pub(super) fn template(text: &str, item: &Item<'_>, names: &Names<'_>) -> Option<Template> {
    let template = Template::parse(text)
        .map_err(|error| item.mistake(error.to_string()))
        .ok()?;
    for name in template.names().filter(|name| !names.contains(name)) {
        let cure = match spelling::nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "declare it under [variables]".to_owned(),
        };
        item.mistake(format!(
            "`{}` names the variable `{name}`, which the app does not have: {cure}",
            item.name()
        ));
    }
    Some(template)
}

/// A component's variables, as templates.
pub(super) fn of_component(table: &Table<'_>, names: &Names<'_>) -> Vec<(String, Template)> {
    let items = table.entries("variables").into_iter();
    items
        .filter_map(|item| {
            let named = named(&item);
            let template = template(item.text()?, &item, names)?;
            named.then(|| (item.key.to_owned(), template))
        })
        .collect()
}
