//! The laws of reading `spin.toml`: each mistake with its place and its cure.

use super::*;
use crate::manifest::Inherit;

fn read(text: &str) -> Result<App, Mistakes> {
    read_app(text, Path::new("dir/spin.toml"))
}

/// The places and messages of all mistakes.
fn mistakes(text: &str) -> Vec<String> {
    let Mistakes(mistakes) = read(text).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"app\"\n";
const TRIGGER: &str = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n";
const GUEST: &str = "[component.guest]\nsource = \"guest.wasm\"\n";

/// A valid manifest of eight lines and then `more`.
fn with(more: &str) -> String {
    format!("{HEAD}{TRIGGER}{GUEST}{more}\n")
}

/// Checks that `text` has one mistake, at this place of the file, with this part in its message.
fn one(text: &str, place: &str, part: &str) {
    let found = mistakes(text);
    assert_eq!(found.len(), 1, "{found:#?} in\n{text}");
    let expected = format!("dir/spin.toml:{place}: ");
    assert!(
        found[0].starts_with(&expected) && found[0].contains(part),
        "{} is not {expected}{part}",
        found[0]
    );
}

#[test]
fn a_message_is_one_line_whatever_it_quotes() {
    let name = "spin_manifest_version = 2\n[application]\nname = \"a\\nb\\u001b[2J\"\n";
    let found = mistakes(name);
    assert!(
        found[1].contains(r"app name `a\nb\u{1b}[2J` does not fit"),
        "{found:#?}"
    );
}

#[test]
fn five_mistakes_are_reported_as_five_in_the_order_of_the_text() {
    let text = "spin_manifest_version = 2\n[application]\nname = \"five\"\n[[trigger.http]]\nroute = \"no-slash\"\n\
                component = \"guest\"\n[[trigger.http]]\nroute = \"/b\"\ncomponent = \"nobody\"\n[component.guest]\n\
                source = 7\nallowed_outbound_hosts = [\"example.com:x\"]\nkey_value_store = [\"default\"]\n";
    let Mistakes(found) = read(text).unwrap_err();
    let places: Vec<_> = found
        .iter()
        .map(|mistake| (mistake.line, mistake.column))
        .collect();
    assert_eq!(
        places,
        [(5, 9), (9, 13), (11, 10), (12, 27), (13, 1)],
        "{found:#?}"
    );
    assert!(
        Mistakes(found)
            .to_string()
            .ends_with("\n5 mistakes in 1 file")
    );
}

#[test]
fn text_that_is_no_toml_is_one_mistake() {
    one(
        "spin_manifest_version = 2\n[application\nname = 1\n",
        "2:13",
        "not valid TOML",
    );
    one(&with("source = \"again\""), "9:1", "duplicate");
}

#[test]
fn columns_count_characters() {
    one(
        &with("environment = { \"é\" = 1 }"),
        "9:23",
        "must be a string, not an integer",
    );
}

#[test]
fn another_version_is_one_mistake() {
    let text = with("");
    one(
        &text.replace("_version = 2", "_version = 1"),
        "1:25",
        "this host reads version 2",
    );
    one(
        &text.replace("_version = 2", "_version = \"1\""),
        "1:25",
        "this host reads version 2",
    );
    one(
        &text.replace("spin_manifest_version = 2", ""),
        "1:1",
        "`spin_manifest_version` is missing",
    );
}

#[test]
fn the_application_has_a_name_that_fits_a_folder() {
    let text = with("");
    one(
        &text.replace("[application]\nname = \"app\"\n", ""),
        "1:1",
        "`application` is missing",
    );
    one(
        &text.replace("name = \"app\"", ""),
        "2:1",
        "`application.name` is missing",
    );
    for name in ["../evil", "a/b", ".", ".hidden", "a\\\\b"] {
        one(
            &text.replace("\"app\"", &format!("\"{name}\"")),
            "3:8",
            "does not fit a folder",
        );
    }
    one(
        &text.replace("\"app\"", "\" \""),
        "3:8",
        "must not be empty",
    );
    one(
        &text.replace("name = \"app\"", "name = \"app\"\nautor = \"me\""),
        "4:1",
        "did you mean `authors`?",
    );
}

#[test]
fn keys_that_nobody_knows_are_mistakes_with_the_likely_one() {
    one(
        &with("key_value_store = [\"default\"]"),
        "9:1",
        "`component.guest.key_value_store` is not known: did you mean `key_value_stores`?",
    );
    one(
        &with("colour = 1"),
        "9:1",
        "is not known: there is `source`",
    );
    one(
        &with("[components.guest]"),
        "9:2",
        "did you mean `component`?",
    );
    one(
        &with("build = { command = \"make\", workdr = \".\" }"),
        "9:29",
        "did you mean `workdir`?",
    );
    one(
        &with("tool.signet.labe = \"x\""),
        "9:13",
        "did you mean `label`?",
    );
}

#[test]
fn values_have_their_type() {
    one(
        &with("key_value_stores = \"default\""),
        "9:20",
        "must be a list, not a string",
    );
    one(
        &with("key_value_stores = [1]"),
        "9:21",
        "`component.guest.key_value_stores[0]` must be a string, not an integer",
    );
    one(
        &with("environment = [1]"),
        "9:15",
        "must be a table, not a list",
    );
    one(
        &with("tool.signet.memory_mb = \"1\""),
        "9:25",
        "must be a whole number, not a string",
    );
    one(
        &with("tool.signet.max_reuse = 0"),
        "9:25",
        "must be above zero",
    );
    one(
        &with("tool.signet.max_reuse = -1"),
        "9:25",
        "must be above zero",
    );
    one(
        &with("dependencies_inherit_configuration = \"yes\""),
        "9:38",
        "must be true or false, not a string",
    );
    one(
        &with("").replace("\"guest.wasm\"", "\"\""),
        "8:10",
        "must not be empty",
    );
    one(
        &with("").replace("source = \"guest.wasm\"", ""),
        "7:1",
        "`component.guest.source` is missing",
    );
}

#[test]
fn variables_have_a_name_and_either_a_default_or_are_required() {
    one(
        &with("[variables]\na = {}"),
        "10:1",
        "write `required = true`",
    );
    one(
        &with("[variables]\na = { required = false }"),
        "10:1",
        "give it a `default`",
    );
    one(
        &with("[variables]\na = { required = true, default = \"\" }"),
        "10:24",
        "leave one of the two out",
    );
    one(
        &with("[variables]\nA = { default = \"\" }"),
        "10:1",
        "lower-case letters",
    );
    one(
        &with("[variables]\na = { default = 1 }"),
        "10:17",
        "must be a string",
    );
    one(
        &with("[variables]\na = \"value\""),
        "10:5",
        "must be a table",
    );
    one(
        &with("[variables]\na = { default = \"\", secrt = true }"),
        "10:21",
        "did you mean `secret`?",
    );
}

#[test]
fn templates_name_what_the_app_declares() {
    let declared = |more: &str| {
        with(&format!(
            "{more}\n[variables]\napi_key = {{ default = \"\" }}"
        ))
    };
    one(
        &declared("variables = { a = \"{{ api_kye }}\" }"),
        "9:19",
        "did you mean `api_key`?",
    );
    one(
        &declared("variables = { a = \"{{ other }}\" }"),
        "9:19",
        "declare it under [variables]",
    );
    one(
        &declared("variables = { a = \"{{ api_key\" }"),
        "9:19",
        "does not close it",
    );
    one(
        &declared("variables = { a = \"{{ API }}\" }"),
        "9:19",
        "lower-case letters",
    );
    one(
        &declared("variables = { a__b = \"\" }"),
        "9:15",
        "two underscores",
    );
    one(
        &declared("allowed_outbound_hosts = [\"http://{{ other }}\"]"),
        "9:27",
        "declare it under [variables]",
    );
    assert!(read(&declared("allowed_outbound_hosts = [\"{{ api_key }}\"]")).is_ok());
}

#[test]
fn hosts_without_variables_are_judged_at_once() {
    one(
        &with("allowed_outbound_hosts = [\"https://a\", \"b\"]"),
        "9:40",
        "has no scheme",
    );
    let app = read(&with(
        "allowed_outbound_hosts = [\"http://self\", \"http://GUEST.spin.internal\"]",
    ));
    assert_eq!(app.unwrap().warnings, []);
    let app = read(&with(
        "allowed_outbound_hosts = [\"http://gust.spin.internal\"]",
    ));
    let warnings = app.unwrap().warnings;
    let said = ":9:27: component `gust` is called and not in this manifest: did you mean `guest`?";
    assert!(warnings[0].to_string().contains(said), "{warnings:?}");
}

#[test]
fn labels_are_words() {
    one(
        &with("key_value_stores = [\"Default Store\"]"),
        "9:21",
        "label `Default Store` is not valid",
    );
    one(
        &with("sqlite_databases = [\"default\", \"../x\"]"),
        "9:32",
        "label `../x` is not valid",
    );
    one(
        &with("").replace("guest", "my_guest"),
        "7:12",
        "component name `my_guest` is not valid",
    );
}

#[test]
fn triggers_are_http_and_name_a_route_and_a_component() {
    let guest = |trigger: &str| format!("{HEAD}{trigger}\n{GUEST}");
    one(&guest(""), "1:1", "`trigger` is missing");
    one(&guest("[trigger]"), "4:1", "`trigger` is empty");
    one(
        &with("[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"guest\""),
        "9:11",
        "`trigger.redis` is not supported",
    );
    one(&with("[[trigger.cron]]"), "9:11", "HTTP triggers only");
    one(
        &guest("[[trigger.http]]\ncomponent = \"guest\""),
        "4:1",
        "`trigger.http[0].route` is missing",
    );
    one(
        &guest("[[trigger.http]]\nroute = \"/a\""),
        "4:1",
        "`trigger.http[0].component` is missing",
    );
    one(
        &guest("[[trigger.http]]\nroute = \"/a\"\ncomponent = \"gest\""),
        "6:13",
        "did you mean `guest`?",
    );
    one(
        &guest("[[trigger.http]]\nroute = \"/a\"\ncomponent = { source = \"x\" }"),
        "6:13",
        "write `[component.NAME]`",
    );
    one(
        &guest("[[trigger.http]]\nroute = \"/a/.../b\"\ncomponent = \"guest\""),
        "5:9",
        "end the route with `/...`",
    );
    one(
        &with(
            "[[trigger.http]]\nroute = \"/b\"\ncomponent = \"guest\"\nexecutor = { type = \"wagi\" }",
        ),
        "12:21",
        "executor `wagi`",
    );
    one(
        &with("[[trigger.http]]\nroute = \"/b\"\ncomponent = \"guest\"\ncomponents = {}"),
        "12:1",
        "one `component`",
    );
}

#[test]
fn two_routes_for_the_same_paths_are_a_mistake() {
    let more = "[[trigger.http]]\nroute = \"/*\"\ncomponent = \"guest\"";
    one(
        &with(more),
        "10:9",
        "route `/*` fits the same paths as `/...` of line 5",
    );
}

#[test]
fn a_private_route_is_no_route() {
    let private = |table: &str| {
        with(&format!(
            "[[trigger.http]]\nroute = {table}\ncomponent = \"other\"\n[component.other]\nsource = \"o.wasm\""
        ))
    };
    let app = read(&private("{ private = true }")).unwrap();
    assert_eq!((app.routes.len(), app.components.len()), (1, 2));
    assert_eq!(app.warnings, []);
    one(
        &private("{ private = false }"),
        "10:21",
        "`{ private = true }`",
    );
}

#[test]
fn what_is_on_another_machine_is_refused() {
    let source = |table: &str| with("").replace("\"guest.wasm\"", table);
    one(
        &source("{ url = \"https://example.com/x.wasm\", digest = \"\" }"),
        "8:18",
        "get `https://example.com/x.wasm`",
    );
    one(
        &source("{ registry = \"r\", package = \"a:b\", version = \"1.0.0\" }"),
        "8:10",
        "`wkg get a:b@1.0.0`, and write its path",
    );
    for value in ["\">= 0.1.0\"", "{ version = \"0.1.0\", registry = \"r\" }"] {
        one(
            &with(&format!("dependencies.\"a:b\" = {value}")),
            "9:22",
            "write `{ path = \"FILE.wasm\" }`",
        );
    }
}

#[test]
fn dependencies_name_a_package_and_a_file() {
    let dependency = |text: &str| with(&format!("[component.guest.dependencies]\n{text}"));
    one(
        &dependency("hmac = { path = \"h.wasm\" }"),
        "10:1",
        "has no package",
    );
    one(
        &dependency("\"a:b@1\" = { path = \"b.wasm\" }"),
        "10:1",
        "no whole version",
    );
    one(
        &dependency("\"a:b\" = { export = \"x\" }"),
        "10:9",
        "`component.guest.dependencies.a:b.path` is missing",
    );
    one(
        &dependency("\"a:b\" = { path = \"b\", export = \"x\" }"),
        "10:23",
        "name one interface",
    );
    one(
        &dependency("\"a:b\" = { path = \"b\" }\n\"a:b/c\" = { path = \"c\" }"),
        "11:1",
        "the same import",
    );
    one(
        &dependency("\"a:b\" = { path = \"b\", inherit_configuration = [\"variable\"] }"),
        "10:48",
        "`variable` is nothing to inherit: did you mean `variables`?",
    );
    one(
        &dependency("\"a:b\" = { path = \"b\", component = \"c\" }"),
        "10:23",
        "leave one of the two out",
    );
    one(
        &dependency("\"a:b\" = { component = \"guest\" }"),
        "10:23",
        "not another one of this manifest",
    );
    one(
        &dependency(
            "\"a:b\" = { component = \"c\" }\n[component.c]\nsource = \"c\"\nkey_value_stores = [\"default\"]",
        ),
        "10:23",
        "`key_value_stores` of its own",
    );
    let both = "dependencies_inherit_configuration = true\n\
                dependencies.\"a:b\" = { path = \"b\", inherit_configuration = false }";
    one(&with(both), "10:36", "says the same for all");
}

#[test]
fn what_all_dependencies_inherit_can_stand_in_one_place() {
    let all = with(
        "dependencies_inherit_configuration = true\ndependencies.\"a:b\" = { path = \"b.wasm\" }",
    );
    let inherit = |text: &str| {
        read(text).unwrap().components[0].dependencies[0]
            .inherit
            .clone()
    };
    assert_eq!(inherit(&all), Inherit::All);
    let list = all.replace("dependencies_inherit_configuration = true\n", "");
    let list = list.replace(
        "\"b.wasm\"",
        "\"b.wasm\", inherit_configuration = [\"files\"]",
    );
    assert_eq!(inherit(&list), Inherit::Only(vec!["files"]));
}

#[test]
fn migrations_are_for_databases_of_the_component() {
    let more = "tool.signet.migrations = { other = [\"1.sql\"] }\nsqlite_databases = [\"default\"]";
    one(&with(more), "9:28", "`other` is not among");
    one(
        &with("sqlite_databases = [\"default\"]\ntool.signet.migrations = { default = \"1.sql\" }"),
        "10:38",
        "must be a list",
    );
    one(
        &with("tool.signet.label = \"A\\nB\""),
        "9:21",
        "one line of plain text",
    );
}

#[test]
fn what_is_passed_over_without_harm_is_a_warning_and_what_is_not_is_a_mistake() {
    let app = read(&with(
        "ai_models = [\"llama2-chat\"]\n[component.guest.profile.debug]\nsource = \"d.wasm\"",
    ))
    .unwrap();
    let lines: Vec<_> = app.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [9, 10], "{:?}", app.warnings);
    one(
        &with("allowed_http_hosts = [\"example.com\"]"),
        "9:1",
        "write `allowed_outbound_hosts",
    );
    let app =
        read(&with("").replace("name = \"app\"", "name = \"app\"\nversion = \"1.0\"")).unwrap();
    assert!(
        app.warnings[0].message.contains("not a semantic version"),
        "{:?}",
        app.warnings
    );
}

#[test]
fn a_base_stands_before_each_route() {
    one(
        &with("[application.trigger.http]\nbase = \"hooks\""),
        "10:8",
        "must start with a slash",
    );
    let app = read(&with("[application.trigger.http]\nbase = \"/\"")).unwrap();
    assert_eq!(app.routes[0].pattern.as_str(), "/...");
}

#[test]
fn a_file_url_is_a_file_and_its_digest_is_written_whole() {
    let source = |table: &str| with("").replace("\"guest.wasm\"", table);
    let digits = "0123456789abcdef".repeat(4);
    let url =
        |url: &str, digest: &str| source(&format!("{{ url = \"{url}\", digest = \"{digest}\" }}"));
    let good = format!("sha256:{}", digits.to_uppercase());
    for (text, path) in [
        (source("\"file:///opt/a%20b.wasm\""), "/opt/a b.wasm"),
        (source("\"file:target/g.wasm\""), "dir/target/g.wasm"),
        (url("file:///g.wasm", &good), "/g.wasm"),
    ] {
        let app = read(&text).unwrap();
        assert_eq!(app.components[0].source, Path::new(path));
    }
    let app = read(&url("file:///g.wasm", &good)).unwrap();
    let digest = app.components[0].digest.as_ref().unwrap();
    assert_eq!(digest.as_str(), digits);
    one(
        &source("\"https://a.test/g.wasm\""),
        "8:10",
        "another machine",
    );
    one(
        &source("\"file://a.test/g.wasm\""),
        "8:10",
        "no file of this machine",
    );
    one(&source("{ url = \"file:///g.wasm\" }"), "8:10", "`sha256:`");
    one(
        &url("file:///g.wasm", "sha256:12"),
        "8:45",
        "64 hexadecimal digits",
    );
}

/// A manifest with these components beside `guest`, each with the dependencies that are named.
fn chain(guest: &[&str], others: &[(&str, &[&str])]) -> String {
    let mut text = with("");
    for (name, needs) in [&[("guest", guest)], others].concat() {
        if name != "guest" {
            text += &format!("[component.{name}]\nsource = \"{name}.wasm\"\n");
        }
        text += &format!("[component.{name}.dependencies]\n");
        for need in needs {
            text += &format!("\"a:{need}\" = {{ component = \"{need}\" }}\n");
        }
    }
    text
}

#[test]
fn a_dependency_has_its_own_dependencies() {
    let app = read(&chain(&["b"], &[("b", &["c"]), ("c", &[])])).unwrap();
    let b = &app.components[0].dependencies[0];
    let c = &b.dependencies[0];
    assert_eq!(b.source, Path::new("dir/b.wasm"));
    assert_eq!(c.source, Path::new("dir/c.wasm"));
    assert!(c.dependencies.is_empty());
}

#[test]
fn a_circle_of_dependencies_is_one_mistake_that_shows_it() {
    let text = chain(&["b"], &[("b", &["c"]), ("c", &["guest"])]);
    one(&text, "11:23", "guest -> b -> c -> guest");
    // Whoever leads into it is not part of it.
    let text = chain(&["b"], &[("b", &["c"]), ("c", &["b"])]);
    one(
        &text,
        "15:23",
        "component `b` depends on itself: b -> c -> b;",
    );
}

#[test]
fn dependencies_that_multiply_have_an_end() {
    let names: Vec<String> = (0..40).map(|at| format!("c{at}")).collect();
    let mut text = with("[component.guest.dependencies]\n\"a:b\" = { component = \"c0\" }");
    for (at, name) in names.iter().enumerate() {
        text += &format!("[component.{name}]\nsource = \"{name}.wasm\"\n");
        if let Some(next) = names.get(at + 1) {
            text += &format!(
                "[component.{name}.dependencies]\n\"a:b\" = {{ component = \"{next}\" }}\n\"a:c\" = {{ component = \"{next}\" }}\n"
            );
        }
    }
    let found = mistakes(&text);
    assert!(
        found[0].contains("`guest` comes to more than 256"),
        "{found:#?}"
    );
}

#[test]
fn files_stay_in_their_folder() {
    for (entry, place, part) in [
        ("\"../a\"", "9:10", "leads out of its folder"),
        ("\"/etc/*\"", "9:10", "leads out of its folder"),
        ("\"a/**b\"", "9:10", "is no pattern"),
        ("\".\"", "9:10", "a whole folder is written"),
        (
            "{ source = \"a\" }",
            "9:10",
            "`component.guest.files[0].destination` is missing",
        ),
        (
            "{ source = \"a/..\", destination = \"/\" }",
            "9:21",
            "leads out of its folder",
        ),
        (
            "{ source = \"a\", destination = \"/../b\" }",
            "9:40",
            "leads out of its folder",
        ),
        ("7", "9:10", "must be a string"),
    ] {
        one(&with(&format!("files = [{entry}]")), place, part);
    }
    one(
        &with("exclude_files = [\"a/**b\"]"),
        "9:18",
        "is no pattern",
    );
}
