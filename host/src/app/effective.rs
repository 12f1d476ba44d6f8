//! What a plan comes to once defaults and overrides are in: for a person who asks what would be run. Comes
//! in: a plan and the environment; goes out: one document. Shows no value that may be a secret, only where
//! it comes from.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::grants;
use super::plan::{Plan, Planned};
use crate::capability::variables::{Declaration, Environment};
use crate::manifest::{
    Bound, Component, Dependency, Files, Inherit, Mount, VariableSource, limits,
};
use crate::queue::Policy;

/// What stands in the place of a value that may be a secret.
const HIDDEN: &str = "***";

/// The configuration that `plan` and `environment` come to.
pub fn effective(plan: &Plan, environment: &[(String, String)]) -> Value {
    let mut host = json!({
        "state_dir": plan.host.state_dir,
        "server": bounds(limits::HOST, &plan.host.bounds),
        "outbound_http": bounds(limits::OUTBOUND, &plan.host.outbound),
        "sqlite": bounds(limits::SQLITE, &plan.host.sqlite),
        "key_value": bounds(limits::KEY_VALUE, &plan.host.key_value),
        "queue": bounds(limits::QUEUES, &plan.host.queue),
        "app": plan.apps.iter().map(|app| self::app(plan, app, environment)).collect::<Vec<_>>(),
    });
    let networks = plan.host.allow_networks.iter().map(ToString::to_string);
    host["outbound_http"]["allow_networks"] = networks.collect();
    let mut admin = Map::new();
    if let Some(listen) = plan.host.admin.listen {
        admin.insert("listen".into(), json!(listen));
    }
    if let Some(file) = &plan.host.admin.token_file {
        admin.insert("token_file".into(), json!(file));
    }
    if !admin.is_empty() {
        host["admin"] = admin.into();
    }
    host
}

fn app(plan: &Plan, planned: &Planned, environment: &[(String, String)]) -> Value {
    let variables = planned.app.variables.iter().map(|(name, declaration)| {
        let source = source(plan, name, declaration, environment);
        (name.to_owned(), source)
    });
    let components = planned.app.components.iter().map(|component| {
        let routes = planned.app.routes.iter();
        let routes: Vec<_> = routes
            .filter(|route| route.component == component.name)
            .map(|route| route.pattern.to_string())
            .collect();
        let shown = self::component(plan, component, &routes);
        (component.name.clone(), shown)
    });
    let mut app = json!({
        "name": planned.app.name,
        "manifest": planned.app.path,
        "listen": planned.listen,
        "variables": variables.collect::<Map<_, _>>(),
        "component": components.collect::<Map<_, _>>(),
    });
    if let Some(tls) = &planned.tls {
        app["tls"] = json!({ "cert": tls.cert, "key": tls.key });
    }
    app
}

/// Where a variable's value would come from; the value itself only where it is the manifest's and no secret.
fn source(
    plan: &Plan,
    name: &str,
    declaration: &Declaration,
    environment: &[(String, String)],
) -> Value {
    let key = Environment::key(name);
    let mut value = HIDDEN;
    let source = if environment.iter().any(|(have, _)| *have == key) {
        key
    } else {
        match (plan.host.variables.get(name), &declaration.default) {
            (Some(VariableSource::Value(_)), _) => "signet.toml".to_owned(),
            (Some(VariableSource::Generate), _) => "generated".to_owned(),
            (None, Some(default)) => {
                if !declaration.secret {
                    value = default;
                }
                "default".to_owned()
            }
            (None, None) => {
                return json!({ "source": "none: it is required", "secret": declaration.secret });
            }
        }
    };
    json!({ "source": source, "secret": declaration.secret, "value": value })
}

fn component(plan: &Plan, component: &Component, routes: &[String]) -> Value {
    let labels = |labels: &[crate::capability::Label]| {
        labels.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    // A template that names variables shows their names; one that names none is a value.
    let variables = component.variables.iter().map(|(name, template)| {
        let shown = if template.is_literal() {
            HIDDEN.to_owned()
        } else {
            template.to_string()
        };
        (name.clone(), json!(shown))
    });
    let queues = component.queues.iter();
    let queues = queues.map(|(label, policy)| (label.to_string(), queue(policy)));
    let environment = component.environment.iter();
    let environment = environment.map(|(name, _)| (name.clone(), json!(HIDDEN)));
    let hosts = component.allowed_outbound_hosts.iter();
    json!({
        "source": component.source,
        "routes": routes,
        "sqlite_databases": labels(&component.sqlite_databases),
        "key_value_stores": labels(&component.key_value_stores),
        "allow_networks": component.allow_networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allowed_outbound_hosts": hosts.map(ToString::to_string).collect::<Vec<_>>(),
        "variables": variables.collect::<Map<_, _>>(),
        "environment": environment.collect::<Map<_, _>>(),
        "queue": queues.collect::<Map<_, _>>(),
        "dependencies": dependencies(&component.dependencies),
        "files": files(&component.files),
        "limits": bounds(limits::COMPONENT, &grants::limits(&plan.host.limits, component)),
    })
}

/// How a queue is worked on.
fn queue(policy: &Policy) -> Value {
    let mut shown = bounds(limits::QUEUE, policy);
    let schedule = policy.schedule.iter().map(Duration::as_millis);
    let schedule = schedule.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX));
    shown.insert("schedule_ms".into(), schedule.collect());
    shown.insert("jitter_percent".into(), policy.jitter.into());
    shown.insert("ordered".into(), policy.ordered.into());
    if let Some(rate) = policy.lane_rate {
        shown.insert("lane_rate_per_s".into(), rate.count.into());
        shown.insert("lane_burst".into(), rate.burst.into());
    }
    shown.into()
}

fn dependencies(dependencies: &[Dependency]) -> Vec<Value> {
    let shown = dependencies.iter().map(|dependency| {
        let mut shown = json!({
            "import": super::link::selector(&dependency.selector).to_string(),
            "path": dependency.source,
            "inherit_configuration": match &dependency.inherit {
                Inherit::All => json!(true),
                Inherit::Only(kinds) => json!(kinds),
            },
        });
        if !dependency.dependencies.is_empty() {
            shown["dependencies"] = self::dependencies(&dependency.dependencies).into();
        }
        shown
    });
    shown.collect()
}

/// What a component may read, as the manifest has it.
fn files(files: &Files) -> Vec<Value> {
    let shown = files.mounts.iter().map(|mount| match mount {
        Mount::Path(path) => json!(path),
        Mount::Pattern(pattern) => json!(pattern.as_str()),
        Mount::Placed {
            source,
            destination,
        } => json!({ "source": source, "destination": Path::new("/").join(destination) }),
    });
    shown.collect()
}

/// All bounds of a room, by key; one that is off is left out.
fn bounds<T>(bounds: &[Bound<T>], set: &T) -> Map<String, Value> {
    let set = bounds
        .iter()
        .filter_map(|bound| Some((bound.key.to_owned(), json!(bound.value(set)?))));
    set.collect()
}
