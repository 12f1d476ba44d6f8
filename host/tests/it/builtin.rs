//! The built-in app does what the sample promises: the routes, the bodies, the lines.

use serde_json::json;

use crate::support::{Receiver, builtin, delete, get, post};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn the_samples_own_calls_give_the_lines_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let app = builtin(folder.path(), &[]);
    let (producer, consumer) = (app.addresses()[0], app.addresses()[1]);
    let target = format!("http://localhost:{}/target", consumer.port());
    assert!(delete(producer, "/registrations").status < 300);
    let body = json!({ "url": target, "event": "*" }).to_string();
    let registered = post(producer, "/registrations", &[JSON], body.as_bytes());
    assert_eq!(registered.status, 201, "{}", registered.body);
    let registered = registered.json();
    assert_eq!(
        (&registered["url"], &registered["event"]),
        (&json!(target), &json!("*"))
    );
    let key = registered["signingKey"].as_str().unwrap().to_owned();
    assert!(key.len() == 36 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let fired = post(producer, "/fire", &[], b"");
    assert_eq!(fired.status, 200, "{}", fired.body);
    let output = app.stop();
    for line in [
        "PRODUCER: Invoking CONSUMER for verification (handshake) ...",
        "PRODUCER: Handshake with CONSUMER was successful.",
        "CONSUMER: Received key data upon registering for webhooks with PRODUCER.",
        "CONSUMER: Stored key data in key value store",
        "PRODUCER: Loading all CONSUMERS from database",
        &format!("PRODUCER: Sending signed payload to CONSUMER {target}"),
        "CONSUMER: Loaded key data from key-value store",
        "CONSUMER: Verifying integrity of payload received from PRODUCER...",
        "CONSUMER: Payload verification result: True",
        "CONSUMER: Responding with HTTP 200",
        &format!("PRODUCER: CONSUMER {target} responded with status 200"),
    ] {
        assert!(
            output.lines().any(|have| have == line),
            "{line:?} is not in:\n{output}"
        );
    }
    let tag = output
        .lines()
        .find_map(|line| line.strip_prefix("CONSUMER: Received tag "))
        .unwrap();
    assert!(
        tag.len() == 64
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)),
        "{tag}"
    );
    assert!(!output.contains(&key), "the key was printed");
}

#[test]
fn registrations_are_listed_fetched_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let app = builtin(folder.path(), &[]);
    let (producer, consumer) = (app.addresses()[0], app.addresses()[1]);
    let target = format!("http://localhost:{}/target", consumer.port());
    let body = json!({ "url": target }).to_string();
    let registered = post(producer, "/registrations", &[JSON], body.as_bytes());
    assert_eq!(registered.status, 201, "{}", registered.body);
    let id = registered.json()["id"].as_str().unwrap().to_owned();
    let listed = get(producer, "/registrations").json();
    assert_eq!(listed, json!([{ "id": id, "url": target, "event": "*" }]));
    assert_eq!(
        get(producer, &format!("/registrations/{id}")).json()["url"],
        json!(target)
    );
    assert_eq!(
        delete(producer, &format!("/registrations/{id}")).status,
        204
    );
    assert_eq!(get(producer, &format!("/registrations/{id}")).status, 404);
    assert_eq!(get(producer, "/registrations").json(), json!([]));
}

#[test]
fn what_no_route_knows_is_404_and_errors_are_problem_details() {
    let folder = tempfile::tempdir().unwrap();
    let app = builtin(folder.path(), &[]);
    for (index, path) in [
        (0, "/nothing"),
        (1, "/nothing"),
        (0, "/registrations/unknown"),
    ] {
        let answer = get(app.addresses()[index], path);
        assert_eq!(answer.status, 404);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.json()["status"], 404);
    }
    let wrong = post(app.addresses()[0], "/registrations", &[JSON], b"not json");
    assert_eq!(
        (wrong.status, wrong.json()["status"].as_u64()),
        (400, Some(400))
    );
}

#[test]
fn registrations_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::answers(200);
    let port = receiver.address.port().to_string();
    let variables = [("consumer_port", port.as_str())];
    let app = builtin(folder.path(), &variables);
    let body = json!({ "url": receiver.url("/hook") }).to_string();
    let registered = post(app.address(), "/registrations", &[JSON], body.as_bytes());
    assert_eq!(registered.status, 201, "{}", registered.body);
    app.stop();
    let app = builtin(folder.path(), &variables);
    assert_eq!(
        get(app.address(), "/registrations").json()[0]["url"],
        json!(receiver.url("/hook"))
    );
}
