//! What is in `examples/`, each built by its own script and served from its own manifest. The consumers are
//! drop-ins for our own: they stand beside our producer and are held against the same laws.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use serde_json::json;
use signet::runtime::inspect::inspect;
use signet::runtime::signer::Signer;

use crate::support::{Answer, Served, post, root, serve, serve_all};

/// Set in CI: a tool that is missing is then installed, or fails the test, in place of leaving it out.
const REQUIRED: &str = "SIGNET_REQUIRE_EXAMPLES";

/// A consumer in a folder of `examples/`, built by the `build.sh` in it.
struct Example {
    folder: &'static str,
    /// What `build.sh` installs before it builds. Without [`REQUIRED`] no test installs anything.
    tool: Tool,
}

/// What has to be there to build.
enum Tool {
    /// A file in the example's folder.
    File(&'static str),
    /// A target of the Rust compiler.
    Target(&'static str),
}

const PYTHON: Example = Example {
    folder: "consumer-python",
    tool: Tool::File(".venv/installed"),
};

const SPIN_SDK_7: Example = Example {
    folder: "consumer-spin-sdk-7",
    tool: Tool::Target("wasm32-wasip2"),
};

const SPIN_SDK_3: Example = Example {
    folder: "consumer-spin-sdk-3",
    tool: Tool::Target("wasm32-wasip1"),
};

const HELLO: Example = Example {
    folder: "hello-wasi-http",
    tool: Tool::Target("wasm32-wasip2"),
};

const JAVASCRIPT: Example = Example {
    folder: "consumer-javascript",
    tool: Tool::File("node_modules/installed"),
};

#[test]
fn the_consumer_in_javascript_verifies_what_the_producer_signs_and_refuses_all_else() {
    JAVASCRIPT.keeps_the_laws();
}

#[test]
fn the_consumer_in_python_verifies_what_the_producer_signs_and_refuses_all_else() {
    PYTHON.keeps_the_laws();
}

#[test]
fn the_consumer_on_spin_sdk_7_verifies_what_the_producer_signs_and_refuses_all_else() {
    SPIN_SDK_7.keeps_the_laws();
}

#[test]
fn the_consumer_on_spin_sdk_3_a_core_module_verifies_what_the_producer_signs_and_refuses_all_else()
{
    SPIN_SDK_3.keeps_the_laws();
}

#[test]
fn a_plain_component_of_wasi_http_is_served_and_asks_for_nothing_of_this_host() {
    if !HELLO.is_built() {
        return;
    }
    let manifest = root().join("examples/hello-wasi-http/spin.toml");
    let app = serve(&manifest, &[]);
    let body = vec![b'x'; 100_000];
    let answer = post(app.address(), "/there?and=back", &[], &body);
    assert_eq!(answer.status, 200);
    let (head, rest) = answer.body.split_once('\n').unwrap();
    assert_eq!(head, "Hello from /there?and=back");
    assert_eq!(rest.as_bytes(), body);
    let file = "examples/hello-wasi-http/target/wasm32-wasip2/release/hello_wasi_http.wasm";
    let shape = inspect(&std::fs::read(root().join(file)).unwrap()).unwrap();
    // What `wasmtime serve -S cli` has.
    const EVERYWHERE: [&str; 5] = [
        "wasi:cli/",
        "wasi:clocks/",
        "wasi:http/types@",
        "wasi:io/",
        "wasi:random/",
    ];
    for import in &shape.imports {
        let mut everywhere = EVERYWHERE.iter();
        assert!(
            everywhere.any(|start| import.starts_with(start)),
            "{import}"
        );
    }
}

impl Example {
    /// Builds the example; says why where it cannot be built.
    fn build(&self) -> Result<(), String> {
        let folder = root().join("examples").join(self.folder);
        let script = format!("examples/{}/build.sh", self.folder);
        let required = std::env::var_os(REQUIRED).is_some();
        if !required && !self.tool.is_there(&folder) {
            return Err(format!("its tools: sh {script}"));
        }
        let mut build = Command::new("sh");
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
            build.env_remove(variable);
        }
        let status = build.arg(root().join(&script)).status();
        match status.map_err(|error| error.to_string())?.code() {
            Some(0) => Ok(()),
            Some(69) if !required => Err("tools that can be installed".to_owned()),
            other => panic!("{script} ends with {other:?}"),
        }
    }

    /// Builds the example; says so where it has to be left out.
    fn is_built(&self) -> bool {
        let built = self.build();
        if let Err(want) = &built {
            eprintln!("examples/{} is left out for want of {want}", self.folder);
        }
        built.is_ok()
    }

    fn keeps_the_laws(&self) {
        if !self.is_built() {
            return;
        }
        let l = Loop::start(self.folder);
        l.nothing_is_verified_before_a_handshake();
        l.a_forged_handshake_is_refused();
        let key = l.the_producer_enrols_it();
        l.what_the_producer_fires_is_verified();
        l.a_tampered_payload_is_refused(&key);
        l.an_old_or_replayed_payload_is_refused(&key);
        l.a_forged_handshake_is_refused();
        l.the_standard_is_required_from_now_on(&key);
        let second = l.the_current_key_brings_its_successor(&key);
        l.other_routes_and_bodies_have_their_answers(&second);
        l.lines_of_the_contract_and_no_secret_are_printed(&[&key, &second, TOKEN]);
    }
}

impl Tool {
    fn is_there(&self, folder: &Path) -> bool {
        match self {
            Self::File(file) => folder.join(file).exists(),
            Self::Target(target) => {
                let mut rustc = Command::new("rustc");
                rustc.args(["--print", "target-libdir", "--target", target]);
                rustc.output().is_ok_and(|output| {
                    Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists()
                })
            }
        }
    }
}

const TOKEN: &str = "a-token-that-the-operator-set";
const STRANGERS_KEY: &str = "StrangersKeyStrangersKeyStrangersKey";
const JSON: (&str, &str) = ("content-type", "application/json");

/// Our producer and an example, one host.
struct Loop {
    app: Served,
    producer: SocketAddr,
    consumer: SocketAddr,
    _state: tempfile::TempDir,
}

impl Loop {
    fn start(folder: &str) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        // The producer is told the consumer's port before there is one.
        let consumer = TcpListener::bind(any).unwrap().local_addr().unwrap();
        let manifests = [
            root().join("guest-producer/spin.toml"),
            root().join("examples").join(folder).join("spin.toml"),
        ];
        let port = consumer.port().to_string();
        let variables = [("enrolment_token", TOKEN), ("consumer_port", &port)];
        let state = tempfile::tempdir().unwrap();
        let app = serve_all(
            &manifests,
            &[any, consumer],
            &variables,
            Some(&state.path().join("state")),
        );
        Self {
            producer: app.addresses()[0],
            consumer,
            app,
            _state: state,
        }
    }

    fn target(&self) -> String {
        format!("http://localhost:{}/target", self.consumer.port())
    }

    fn send(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        post(self.consumer, "/target", headers, body)
    }

    fn handshake(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        let target = "/target?handshake=true";
        post(self.consumer, target, headers, body.as_bytes())
    }

    fn refused(&self, headers: &[(&str, &str)], body: &[u8]) {
        let answer = self.send(headers, body);
        assert_eq!(answer.status, 400, "{headers:?} {}", answer.body);
        assert_eq!(answer.json()["type"], "urn:signet:problem:signature-wrong");
    }

    fn nothing_is_verified_before_a_handshake(&self) {
        let early = self.send(&[("x-signature", &tag(b"{}", STRANGERS_KEY))], b"{}");
        assert_eq!(early.status, 409, "{}", early.body);
        assert_eq!(early.headers["content-type"], "application/problem+json");
    }

    fn a_forged_handshake_is_refused(&self) {
        let body = json!({ "keyData": STRANGERS_KEY }).to_string();
        let own = tag(body.as_bytes(), STRANGERS_KEY);
        for headers in [
            &[][..],
            &[("x-enrolment-token", "a guess")],
            &[("x-enrolment-token", "")],
            &[
                ("x-enrolment-token", "a guess"),
                ("x-enrolment-token", TOKEN),
            ],
            &[("x-signature", &own)],
        ] {
            let answer = self.handshake(headers, &body);
            assert_eq!(answer.status, 401, "{headers:?} {}", answer.body);
            assert_eq!(answer.headers["www-authenticate"], "EnrolmentToken");
        }
        let signed = self.send(&[("x-signature", &tag(b"{}", STRANGERS_KEY))], b"{}");
        assert!([400, 409].contains(&signed.status), "{}", signed.body);
    }

    fn the_producer_enrols_it(&self) -> String {
        let body = json!({ "url": self.target(), "event": "*" }).to_string();
        let answer = post(self.producer, "/registrations", &[JSON], body.as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["signingKey"].as_str().unwrap().to_owned()
    }

    fn what_the_producer_fires_is_verified(&self) {
        let body = json!({ "event": "a.b", "data": "\u{e9}" }).to_string();
        let fired = post(self.producer, "/fire", &[JSON], body.as_bytes());
        assert_eq!(fired.status, 200, "{}", fired.body);
        let fired = fired.json();
        assert_eq!(
            (&fired["delivered"], &fired["failed"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(fired["results"][0]["status"], 200, "{fired}");
    }

    fn a_tampered_payload_is_refused(&self, key: &str) {
        let headers = signed(now(), BODY, key);
        assert_eq!(self.send(&borrowed(&headers), BODY).status, 200);
        self.refused(&borrowed(&headers), br#"{"event":"a.b","data":2}"#);
        self.refused(&borrowed(&headers), b"");
        let mut twice = headers.to_vec();
        twice.push(headers[3].clone());
        self.refused(&borrowed(&twice), BODY);
        let mut other_id = headers.clone();
        other_id[1].1 = "msg_2".to_owned();
        self.refused(&borrowed(&other_id), BODY);
        for wrong in ["", "v1,", "v1", "v2,AAAA", &headers[3].1[..40]] {
            let mut headers = headers.clone();
            headers[3].1 = wrong.to_owned();
            self.refused(&borrowed(&headers), BODY);
        }
        // Two bits of the last character belong to no byte: another text for the same tag.
        let mut loose = headers;
        let last = loose[3].1.len() - 2;
        let position = ALPHABET.find(&loose[3].1[last..=last]).unwrap();
        loose[3]
            .1
            .replace_range(last..=last, &ALPHABET[position + 1..position + 2]);
        self.refused(&borrowed(&loose), BODY);
        let several = signed(now(), BODY, key).map(|(name, value)| match name {
            "webhook-signature" => (name, format!("v1a,x v1,AAAA {value}")),
            _ => (name, value),
        });
        assert_eq!(self.send(&borrowed(&several), BODY).status, 200);
    }

    fn an_old_or_replayed_payload_is_refused(&self, key: &str) {
        for skew in [-400, 400] {
            self.refused(&borrowed(&signed(now() + skew, BODY, key)), BODY);
        }
        let mut moved = signed(now() - 400, BODY, key);
        moved[2].1 = now().to_string();
        self.refused(&borrowed(&moved), BODY);
        for timestamp in ["", "hello", "1e9", "-1", "0001700000000"] {
            let mut headers = signed(now(), BODY, key);
            headers[2].1 = timestamp.to_owned();
            self.refused(&borrowed(&headers), BODY);
        }
    }

    /// Whoever captured a request could strip the headers that bind the time.
    fn the_standard_is_required_from_now_on(&self, key: &str) {
        let headers = signed(now(), BODY, key);
        self.refused(&borrowed(&headers[..1]), BODY);
        for missing in 1..4 {
            let mut headers = headers.to_vec();
            headers.remove(missing);
            self.refused(&borrowed(&headers), BODY);
        }
        assert_eq!(self.send(&borrowed(&headers[1..]), BODY).status, 200);
        let mut wrong = headers;
        wrong[0].1 = "0".repeat(64);
        self.refused(&borrowed(&wrong), BODY);
    }

    fn the_current_key_brings_its_successor(&self, key: &str) -> String {
        let second = "SecondKey\\\"SecondKey/SecondKey~Second";
        let body = json!({ "keyData": second }).to_string();
        let answer = self.handshake(&[("x-signature", &tag(body.as_bytes(), key))], &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        // What the producer of the old key did is forgotten with it.
        let alone = self.send(&[("x-signature", &tag(b"\xff\x00", second))], b"\xff\x00");
        assert_eq!(alone.status, 200, "{}", alone.body);
        self.refused(&[("x-signature", &tag(b"{}", key))], b"{}");
        second.to_owned()
    }

    fn other_routes_and_bodies_have_their_answers(&self, key: &str) {
        let get = crate::support::get(self.consumer, "/target");
        assert_eq!(
            (get.status, get.headers["allow"].to_str().unwrap()),
            (405, "POST")
        );
        assert_eq!(post(self.consumer, "/", &[], b"").status, 404);
        assert_eq!(
            post(self.consumer, "/other?handshake=true", &[], b"").status,
            404
        );
        let unsigned = self.send(&[], b"{}");
        assert_eq!(unsigned.status, 400);
        assert_eq!(unsigned.json()["title"], "signature is missing");
        for malformed in ["", "nonsense", "00"] {
            self.refused(&[("x-signature", malformed)], b"{}");
        }
        let enrolled = [("x-enrolment-token", TOKEN)];
        for body in [
            "",
            "[]",
            r#"["0123456789abcdef"]"#,
            r#"{"keyData":7}"#,
            r#"{"keyData":"short"}"#,
            r#"{"keyData":"0123456789 abcdef"}"#,
            r#"{"keyData":"0123456789abcdef","x":1}"#,
            r#"{"keyData":"0123456789abcdef","keyData":"0123456789abcdef"}"#,
            &"[".repeat(10_000),
        ] {
            let answer = self.handshake(&enrolled, body);
            assert_eq!(answer.status, 400, "{body:.80} {}", answer.body);
            assert_eq!(answer.json()["type"], "urn:signet:problem:invalid-request");
        }
        let most = 1024 * 1024 + 4096;
        let large = vec![b' '; most];
        let headers = [("x-signature", &*tag(&large, key))];
        assert_eq!(self.send(&headers, &large).status, 200);
        let large = vec![b' '; most + 1];
        let headers = [("x-signature", &*tag(&large, key))];
        assert_eq!(self.send(&headers, &large).status, 413);
        let answer = self.handshake(&enrolled, &json!({ "keyData": STRANGERS_KEY }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn lines_of_the_contract_and_no_secret_are_printed(self, secrets: &[&str]) {
        let output = self.app.stop();
        for line in [
            "CONSUMER: Received key data upon registering for webhooks with PRODUCER.",
            "CONSUMER: Stored key data in key value store",
            "CONSUMER: Loaded key data from key-value store",
            "CONSUMER: Verifying integrity of payload received from PRODUCER...",
            "CONSUMER: Payload verification result: True",
            "CONSUMER: Responding with HTTP 200",
            "CONSUMER: Payload verification result: False",
            "CONSUMER: Responding with HTTP 400",
        ] {
            assert!(
                output.lines().any(|have| have == line),
                "{line:?} is not in:\n{output}"
            );
        }
        assert!(output.contains("\nCONSUMER: Received tag "), "{output}");
        // In its own words, or in those of `hmac`.
        let old = ["more than 300 seconds from now", "more than the tolerance"];
        let says = |line: &str| {
            let why = line.strip_prefix("CONSUMER: Refused payload: ");
            why.is_some_and(|why| old.iter().any(|words| why.contains(words)))
        };
        assert!(output.lines().any(says), "{output}");
        for secret in secrets {
            assert!(!output.contains(secret), "a secret was printed:\n{output}");
        }
    }
}

const BODY: &[u8] = br#"{"event":"a.b","data":1}"#;
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The four headers that a producer with this key sends.
fn signed(timestamp: i64, body: &[u8], key: &str) -> [(&'static str, String); 4] {
    let content = [format!("msg_1.{timestamp}.").as_bytes(), body].concat();
    let hex = tag(&content, key);
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let signature = base64::prelude::BASE64_STANDARD.encode(bytes);
    [
        ("x-signature", tag(body, key)),
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", format!("v1,{signature}")),
    ]
}

fn borrowed<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    let pair = |(name, value): &'a (&'static str, String)| (*name, value.as_str());
    headers.iter().map(pair).collect()
}

fn tag(body: &[u8], key: &str) -> String {
    let mut signer = Signer::new().unwrap();
    let tag = signer.sign(body, key.as_bytes()).unwrap().unwrap();
    String::from_utf8(tag).unwrap()
}

fn now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
