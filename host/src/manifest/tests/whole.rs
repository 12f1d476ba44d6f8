//! What a whole `spin.toml` says.

use std::path::Path;
use std::time::Duration;

use glob::Pattern;

use super::{App, read_app};
use crate::capability::Label;
use crate::manifest::{Build, Dependency, Inherit, Mount, Selector};
use crate::runtime::pool::Limits;

fn whole() -> App {
    read_app(WHOLE, Path::new("dir/spin.toml")).unwrap()
}

const WHOLE: &str = r#"
spin_manifest_version = 2

[application]
name = "webhooks"
version = "0.1.0"
description = "All there is"
authors = ["Somebody <somebody@example.com>"]
targets = ["spin-up:3.3"]

[application.trigger.http]
base = "/hooks/"

[application.tool.other]
anything = true

[variables]
token = { required = true, secret = true }
port = { default = "3002", description = "Where" }

[[trigger.http]]
id = "first"
route = "/producer/..."
component = "producer"
executor = { type = "http" }

[[trigger.http]]
route = "/"
component = "consumer"

[component.producer]
source = "../target/producer.wasm"
description = "Signs"
sqlite_databases = ["default", "my-data"]
key_value_stores = ["default", "default"]
allowed_outbound_hosts = ["http://localhost:{{ port }}", "https://*.example.com"]
environment = { Z = "26", A = "1" }
exclude_files = ["secret/*"]
files = ["./static/**/*.css", "robots.txt", { source = "assets", destination = "/" }]

[component.producer.variables]
token = "{{ token }}"
greeting = "hello"

[component.producer.dependencies]
"fermyon:hmac@0.1.0" = { path = "../target/hmac.wasm" }
"a:b/c" = { path = "c.wasm", export = "x:y/z", inherit_configuration = true }
"d:e" = { component = "helper", inherit_configuration = [] }

[component.producer.build]
command = ["make", "make install"]
workdir = "."
watch = ["src/**/*.rs"]

[component.producer.tool.other]
anything = [1, 2]

[component.producer.tool.signet]
label = "PRODUCER"
migrations = { default = ["migrations/1.sql", "migrations/2.sql"] }
request_timeout_ms = 1_500
memory_mb = 64
max_reuse = 0x10
max_concurrent = 4

[component.consumer]
source = "consumer.wasm"

[component.helper]
source = "helper.wasm"
dependencies_inherit_configuration = true
dependencies = { "f:g" = { path = "g.wasm" } }
build = { command = "just helper" }
"#;

#[test]
fn a_whole_manifest_is_read() {
    let app = whole();
    assert_eq!(
        (app.name.as_str(), app.path.as_path()),
        ("webhooks", Path::new("dir/spin.toml"))
    );
    let routes: Vec<_> = app
        .routes
        .iter()
        .map(|route| (route.pattern.as_str(), route.component.as_str()))
        .collect();
    assert_eq!(
        routes,
        [("/hooks/producer/...", "producer"), ("/hooks/", "consumer")]
    );
    let token = app.variables.get("token").unwrap();
    assert!(token.required() && token.secret);
    assert_eq!(
        app.variables.get("port").unwrap().default.as_deref(),
        Some("3002")
    );
    let names: Vec<_> = app
        .components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    assert_eq!(names, ["producer", "consumer"]);
    let warnings: Vec<_> = app
        .warnings
        .iter()
        .map(|warning| &warning.message)
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].contains("application.targets"), "{warnings:#?}");
}

#[test]
fn a_whole_component_is_read() {
    let app = whole();
    let producer = &app.components[0];
    assert_eq!(producer.source, Path::new("dir/../target/producer.wasm"));
    assert_eq!(
        producer.sqlite_databases,
        [Label::new("default"), Label::new("my-data")]
    );
    assert_eq!(producer.key_value_stores, [Label::new("default")]);
    let hosts: Vec<_> = producer
        .allowed_outbound_hosts
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        hosts,
        ["http://localhost:{{ port }}", "https://*.example.com"]
    );
    assert_eq!(
        producer.environment,
        [("Z".into(), "26".into()), ("A".into(), "1".into())]
    );
    assert_eq!(producer.variables["token"].to_string(), "{{ token }}");
    assert_eq!(producer.label.as_deref(), Some("PRODUCER"));
    let mounts = [
        Mount::Pattern(Pattern::new("static/**/*.css").unwrap()),
        Mount::Path("robots.txt".into()),
        Mount::Placed {
            source: "assets".into(),
            destination: "".into(),
        },
    ];
    assert_eq!(producer.files.mounts, mounts);
    assert_eq!(producer.files.exclude, [Pattern::new("secret/*").unwrap()]);
    let files = vec!["dir/migrations/1.sql".into(), "dir/migrations/2.sql".into()];
    assert_eq!(producer.migrations, [(Label::new("default"), files)]);
    let limits = producer.limits.over(Limits::default());
    assert_eq!(limits.request_timeout, Duration::from_millis(1500));
    assert_eq!((limits.memory, limits.max_reuse), (64 << 20, 16));
    assert_eq!(limits.max_concurrent, 4);
    assert_eq!(limits.max_requests, Limits::default().max_requests);
    assert_eq!(app.components[1].limits, Default::default());
}

#[test]
fn dependencies_come_in_order_and_inherit_nothing_unless_told() {
    let app = whole();
    let selector = |namespace: &str, package: &str, interface: Option<&str>, version| Selector {
        namespace: namespace.into(),
        package: package.into(),
        interface: interface.map(str::to_owned),
        version,
    };
    let expected = [
        Dependency {
            selector: selector("fermyon", "hmac", None, Some(semver::Version::new(0, 1, 0))),
            component: None,
            source: "dir/../target/hmac.wasm".into(),
            digest: None,
            export: None,
            inherit: Inherit::Only(Vec::new()),
            dependencies: Vec::new(),
        },
        Dependency {
            selector: selector("a", "b", Some("c"), None),
            component: None,
            source: "dir/c.wasm".into(),
            digest: None,
            export: Some("x:y/z".into()),
            inherit: Inherit::All,
            dependencies: Vec::new(),
        },
        Dependency {
            selector: selector("d", "e", None, None),
            component: Some("helper".into()),
            source: "dir/helper.wasm".into(),
            digest: None,
            export: None,
            inherit: Inherit::Only(Vec::new()),
            dependencies: vec![Dependency {
                selector: selector("f", "g", None, None),
                component: None,
                source: "dir/g.wasm".into(),
                digest: None,
                export: None,
                inherit: Inherit::All,
                dependencies: Vec::new(),
            }],
        },
    ];
    assert_eq!(app.components[0].dependencies, expected);
}

#[test]
fn builds_come_in_order_and_those_of_dependencies_too() {
    let expected = [
        Build {
            component: "producer".into(),
            commands: vec!["make".into(), "make install".into()],
            workdir: "dir/.".into(),
            watch: vec!["src/**/*.rs".into()],
        },
        Build {
            component: "helper".into(),
            commands: vec!["just helper".into()],
            workdir: "dir".into(),
            watch: Vec::new(),
        },
    ];
    assert_eq!(whole().builds, expected);
}
