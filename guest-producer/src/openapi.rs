//! The OpenAPI document (3.1.0), written from the list of endpoints. In comes nothing; out goes JSON. It never says what
//! the list does not.

use serde_json::{Map, Value, json};

use crate::custom;
use crate::endpoints::{ENDPOINTS, Endpoint, Parameter};
use crate::filter::NAME_LIMIT;
use crate::target::URL_LIMIT;

/// What every endpoint may answer: no token, another method, a failure of the producer.
const ALWAYS: [u16; 3] = [401, 405, 500];

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.to_ascii_lowercase()] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Signet webhook producer",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Keeps registrations, signs events to Standard Webhooks and delivers them.",
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The operator's token, where one is set.",
                },
            },
            "schemas": schemas(),
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = endpoint.query.iter().map(query).collect();
    let parts = endpoint.path.split('/');
    let ids = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parameters.extend(ids.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    }));
    if endpoint.path == "/events" {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "By which a repetition is known: the same key and body answer the same event.",
            "schema": { "type": "string" },
        }));
    }
    let (status, schema) = endpoint.answer;
    let mut answers = Map::new();
    answers.insert(
        status.to_string(),
        answer("It was done.", "application/json", schema),
    );
    for status in endpoint.problems.iter().chain(&ALWAYS) {
        let problem = answer("It was not.", "application/problem+json", Some("Problem"));
        answers.insert(status.to_string(), problem);
    }
    let mut operation = json!({
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": answers,
    });
    if let Some((schema, required)) = endpoint.body {
        operation["requestBody"] = json!({
            "required": required,
            "content": { "application/json": { "schema": reference(schema) } },
        });
    }
    operation
}

fn query(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.says,
        "schema": { "type": "string" },
    })
}

fn answer(says: &str, media: &str, schema: Option<&str>) -> Value {
    match schema {
        Some(schema) => json!({
            "description": says,
            "content": { media: { "schema": reference(schema) } },
        }),
        None => json!({ "description": says }),
    }
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn schemas() -> Value {
    let text = json!({ "type": "string" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let time = json!({ "type": "string", "format": "date-time" });
    let url = json!({ "type": "string", "format": "uri", "maxLength": URL_LIMIT });
    let name = json!({ "type": "string", "maxLength": NAME_LIMIT, "pattern": "^[A-Za-z0-9_.-]+$" });
    let filter = json!({
        "type": "string",
        "maxLength": NAME_LIMIT,
        "description": "`*`, a type, or a prefix with `.*`.",
    });
    let schedule = json!({
        "type": "array",
        "items": count,
        "description": "The delays before each attempt, in seconds.",
    });
    let headers = json!({
        "type": "object",
        "maxProperties": custom::COUNT_LIMIT,
        "additionalProperties": text,
        "description": "Headers to send with each handshake and delivery; those that the producer or the connection sets are refused.",
    });
    let registration = json!({
        "id": text,
        "url": url,
        "event": filter,
        "schedule": schedule,
        "headers": {
            "type": "array",
            "items": text,
            "description": "The names of the headers that are sent with each handshake and delivery.",
        },
        "disabled": object(&["at", "reason"], json!({ "at": time, "reason": text })),
    });
    let mut created = registration.clone();
    created["signingKey"] = text.clone();
    let attempt = object(
        &["number", "startedAt", "endedAt", "ended", "note"],
        json!({
            "number": count,
            "startedAt": time,
            "endedAt": time,
            "ended": { "enum": ["done", "retry", "dead", "expired"] },
            "note": text,
        }),
    );
    let delivery = object(
        &["id", "event", "registration", "attempts", "state"],
        json!({
            "id": text,
            "event": text,
            "registration": text,
            "attempts": count,
            "state": { "enum": ["waiting", "running", "done", "dead"] },
            "dueAt": time,
            "doneAt": time,
            "deadAt": time,
            "reason": text,
            "made": { "type": "array", "items": attempt },
        }),
    );
    let deliveries = json!({ "type": "array", "items": reference("Delivery") });
    let counts = json!({ "waiting": count, "running": count, "done": count, "dead": count });
    let result = json!({ "id": text, "url": url, "status": count, "error": text });
    json!({
        "Document": { "type": "object" },
        "NewRegistration": object(
            &["url"],
            json!({
                "url": url,
                "event": filter,
                "schedule": schedule,
                "headers": headers,
                "token": text,
            }),
        ),
        "Registration": object(&["id", "url", "event"], registration),
        "Registrations": { "type": "array", "items": reference("Registration") },
        "Created": object(&["id", "url", "event", "signingKey"], created),
        "Resealed": object(&["resealed"], json!({ "resealed": count })),
        "Event": object(&["type", "data"], json!({ "type": name, "data": {} })),
        "Accepted": object(
            &["id", "type", "deliveries"],
            json!({ "id": text, "type": text, "deliveries": count }),
        ),
        "Delivery": delivery,
        "Deliveries": object(
            &["deliveries"],
            json!({ "deliveries": deliveries, "next": text }),
        ),
        "EventStatus": object(
            &["id", "type", "acceptedAt", "counts", "deliveries"],
            json!({
                "id": text,
                "type": text,
                "acceptedAt": time,
                "counts": object(&["waiting", "running", "done", "dead"], counts),
                "deliveries": deliveries,
                "next": text,
            }),
        ),
        "Due": object(&["due"], json!({ "due": count })),
        "Fired": object(&[], json!({ "event": name, "data": {} })),
        "Report": object(
            &["event", "id", "delivered", "failed", "results"],
            json!({
                "event": text,
                "id": text,
                "delivered": count,
                "failed": count,
                "results": { "type": "array", "items": object(&["id", "url"], result) },
            }),
        ),
        "Problem": object(
            &["type", "title", "status", "detail"],
            json!({ "type": text, "title": text, "status": count, "detail": text }),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_one_of_openapi_and_has_every_endpoint() {
        let text = document().to_string();
        let read = oas3::from_json(&text).unwrap();
        assert_eq!(read.operations().count(), ENDPOINTS.len());
        read.validate_version().unwrap();
    }

    #[test]
    fn every_schema_that_is_named_is_there_and_every_one_is_named() {
        let document = document();
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut named = Vec::new();
        for part in text.split("#/components/schemas/").skip(1) {
            named.push(part.split('"').next().unwrap());
        }
        for name in &named {
            assert!(schemas.contains_key(*name), "{name} is not there");
        }
        for name in schemas.keys() {
            assert!(named.contains(&name.as_str()), "{name} is of no use");
        }
    }
}
