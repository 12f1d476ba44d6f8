//! Manifests against what they were made of, and against whatever else can stand in a file.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{App, Mistake, kind, read_app, read_host};
use crate::capability::Label;
use crate::cases::cases;

/// A component as it is drawn.
#[derive(Debug, Clone)]
struct Drawn {
    stores: Vec<String>,
    databases: Vec<String>,
    environment: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    route: String,
    timeout_ms: Option<u32>,
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set("[a-z]{1,4}(-[a-z0-9]{1,3})?", 0..3)
        .prop_map(|labels| labels.into_iter().collect())
}

/// Keys and any text for each, in any order.
fn table(key: &'static str) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map(key, "([a-z\"'\\\\#=\n]|\\PC){0,8}", 0..3)
        .prop_map(|table| table.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let parts = (
        labels(),
        labels(),
        table("([A-Z_ .é]|\\PC){1,4}"),
        table("[a-z][a-z0-9]{0,3}(_[a-z0-9]{1,2})?"),
        "(/[a-z]{1,3}|/:[a-z]{1,3}){0,1}(/\\.\\.\\.)?",
        prop::option::of(1..u32::MAX),
    );
    parts.prop_map(
        |(stores, databases, environment, variables, route, timeout_ms)| {
            // An opened brace would name a variable.
            let plain = |(key, text): (String, String)| (key, text.replace("{{", "{"));
            Drawn {
                stores,
                databases,
                environment,
                variables: variables.into_iter().map(plain).collect(),
                route,
                timeout_ms,
            }
        },
    )
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn pairs(table: &[(String, String)]) -> String {
    // One line a pair, with the key in quotes: most of these keys need them.
    let pair = |(key, text): &(String, String)| {
        let key = toml::Value::from(toml::Table::from_iter([(key.clone(), 0.into())])).to_string();
        let key = key
            .trim_matches(['{', '}', ' '])
            .trim_end_matches("= 0")
            .trim_end()
            .to_owned();
        format!("{key} = {}\n", quoted(text))
    };
    table.iter().map(pair).collect()
}

/// The manifest of these components. They are named `c0`, `c1`, ..., and routes begin with the name.
fn written(name: &str, components: &[Drawn]) -> String {
    let mut text = format!(
        "spin_manifest_version = 2\n[application]\nname = {}\n",
        quoted(name)
    );
    for (at, component) in components.iter().enumerate() {
        let route = quoted(&format!("/c{at}{}", component.route));
        text += &format!("[[trigger.http]]\nroute = {route}\ncomponent = \"c{at}\"\n");
        text += &format!(
            "[component.c{at}]\nsource = \"c{at}.wasm\"\nkey_value_stores = {:?}\nsqlite_databases = {:?}\n",
            component.stores, component.databases
        );
        text += &format!(
            "[component.c{at}.environment]\n{}",
            pairs(&component.environment)
        );
        text += &format!(
            "[component.c{at}.variables]\n{}",
            pairs(&component.variables)
        );
        if let Some(ms) = component.timeout_ms {
            text += &format!("[component.c{at}.tool.signet]\nrequest_timeout_ms = {ms}\n");
        }
    }
    text
}

fn app(text: &str) -> Result<App, TestCaseError> {
    read_app(text, Path::new("dir/spin.toml"))
        .map_err(|mistakes| TestCaseError::fail(format!("{mistakes}\n{text}")))
}

/// Every mistake and every warning stands on one line, at a place that the text has.
fn check_places(text: &str, mistakes: &[Mistake]) -> Result<(), TestCaseError> {
    let lines: Vec<_> = text.split('\n').collect();
    for mistake in mistakes {
        let line = mistake.line.checked_sub(1).and_then(|line| lines.get(line));
        prop_assert!(
            line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&mistake.column))
        );
        prop_assert!(
            !mistake.message.contains(char::is_control),
            "{:?}",
            mistake.message
        );
    }
    Ok(())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    kind(text);
    match read_app(text, Path::new("dir/spin.toml")) {
        Ok(app) => check_places(text, &app.warnings)?,
        Err(mistakes) => {
            prop_assert!(!mistakes.0.is_empty());
            check_places(text, &mistakes.0)?;
        }
    }
    if let Err(mistakes) = read_host(text, Path::new("dir/signet.toml")) {
        prop_assert!(!mistakes.0.is_empty());
        check_places(text, &mistakes.0)?;
    }
    Ok(())
}

const MANIFESTS: [&str; 3] = [
    include_str!("../../../../guest-producer/spin.toml"),
    include_str!("../../../../guest-consumer/spin.toml"),
    include_str!("../../../../signet.toml"),
];

/// Manifests of which one line is gone, is there twice, is elsewhere, or has another one's value.
fn changed() -> impl Strategy<Value = String> {
    let changes = prop::collection::vec(
        (
            0..4,
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
        ),
        1..5,
    );
    (prop::sample::select(&MANIFESTS[..]), changes).prop_map(|(text, changes)| {
        let values = [
            "0",
            "-1",
            "\"\"",
            "\"a\\nb\"",
            "[]",
            "{}",
            "[{}]",
            "1.5",
            "true",
            "\"{{ é }}\"",
            "1979-05-27",
        ];
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (change, one, other) in changes {
            let at = one.index(lines.len());
            match change {
                0 => drop(lines.remove(at)),
                1 => {
                    let to = other.index(lines.len());
                    lines.insert(to, lines[at].clone());
                }
                2 => {
                    let to = other.index(lines.len());
                    lines.swap(at, to);
                }
                _ => {
                    let key = lines[at].split('=').next().unwrap_or_default().to_owned();
                    lines[at] = format!("{key}= {}", values[other.index(values.len())]);
                }
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_was_written_is_read(
        name in "[a-zA-Z][a-zA-Z0-9_. -]{0,8}[a-z]",
        components in prop::collection::vec(drawn(), 1..4),
    ) {
        let text = written(&name, &components);
        let app = app(&text)?;
        prop_assert_eq!(&app.name, &name);
        prop_assert_eq!(app.warnings.len(), 0);
        prop_assert_eq!(app.components.len(), components.len());
        for (at, (read, drawn)) in app.components.iter().zip(&components).enumerate() {
            let label = |label: &String| Label::new(label.clone());
            prop_assert_eq!(&read.name, &format!("c{at}"));
            prop_assert_eq!(&read.source, &PathBuf::from(format!("dir/c{at}.wasm")));
            prop_assert_eq!(&read.key_value_stores, &drawn.stores.iter().map(label).collect::<Vec<_>>());
            prop_assert_eq!(&read.sqlite_databases, &drawn.databases.iter().map(label).collect::<Vec<_>>());
            prop_assert_eq!(&read.environment, &drawn.environment);
            let values: Vec<_> = read.variables.iter().map(|(name, text)| (name.clone(), text.to_string())).collect();
            let mut expected = drawn.variables.clone();
            expected.sort();
            prop_assert_eq!(values, expected);
            let limits = read.limits.over(crate::runtime::pool::Limits::default());
            if let Some(ms) = drawn.timeout_ms {
                prop_assert_eq!(limits.request_timeout.as_millis(), u128::from(ms));
            }
            let route = &app.routes[at];
            prop_assert_eq!(route.pattern.as_str(), format!("/c{at}{}", drawn.route));
            prop_assert_eq!(&route.component, &read.name);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place(text in "([a-z=\\[\\]{}\"'.#\\\\ \n]|\\PC|.){0,64}") {
        check(&text)?;
    }

    #[test]
    fn a_manifest_that_was_changed_is_read_or_refused_at_a_place(text in changed()) {
        check(&text)?;
    }

    #[test]
    fn a_manifest_cut_short_is_read_or_refused_at_a_place(
        text in prop::sample::select(&MANIFESTS[..]),
        end in any::<prop::sample::Index>(),
    ) {
        let ends: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
        check(&text[..ends[end.index(ends.len())]])?;
    }
}

#[test]
fn what_is_nested_without_end_is_refused() {
    for text in [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        "{a=".repeat(100_000),
        "a.".repeat(100_000),
    ] {
        assert!(read_app(&text, Path::new("spin.toml")).is_err());
        kind(&text);
    }
}
