//! The other way round: what is ours runs elsewhere. The producer and the consumer import nothing that Spin
//! lacks, and what `signet compose` writes is taken by a host that knows only WASI.

use std::path::Path;

use signet::runtime::inspect::inspect;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::support::{Host, build_guests, fixture, hmac, post, signet};

/// Whether Spin 4.1 gives this interface: by name, and by version within its semver track.
fn spin_has(import: &str) -> bool {
    let (path, version) = import.split_once('@').unwrap();
    let (package, interface) = path.split_once('/').unwrap();
    let lines = include_str!("spin/4.1.txt").lines();
    lines.filter(|line| !line.starts_with('#')).any(|line| {
        let mut words = line.split_whitespace();
        let (have, at) = words.next().unwrap().split_once('@').unwrap();
        let track = |version: &str| match version.split_once('-') {
            Some(_) => version.to_owned(),
            None => version.rsplit_once('.').unwrap().0.to_owned(),
        };
        have == package && track(at) == track(version) && words.any(|have| have == interface)
    })
}

#[test]
fn the_list_of_what_spin_has_is_read_as_meant() {
    assert!(spin_has("wasi:http/types@0.2.0") && spin_has("spin:sqlite/sqlite@3.1.0"));
    for name in [
        "wasi:http/handler@0.3.0",
        "wasi:http/types@0.4.0",
        "wasi:keyvalue/store@0.2.0-draft",
        "fermyon:hmac/sign@0.1.0",
        "signet:queue/queue@0.1.0",
    ] {
        assert!(!spin_has(name), "{name}");
    }
}

/// The producer without its queue.
fn portable_producer() -> Vec<u8> {
    let arguments = ["--package", "guest-producer", "--no-default-features"];
    let folder = build_guests(&arguments.map(str::to_owned));
    std::fs::read(folder.join("guest_producer.wasm")).unwrap()
}

#[test]
fn the_portable_producer_and_the_consumer_import_nothing_that_spin_lacks() {
    let producer = portable_producer();
    let consumer = signet::builtin::component("consumer").unwrap();
    for (name, component) in [("producer", &producer[..]), ("consumer", consumer)] {
        let surface = inspect(component).unwrap();
        for import in &surface.imports {
            let linked = ["fermyon:hmac/", "signet:webhooks/"];
            let linked = linked.iter().any(|start| import.starts_with(start));
            assert!(linked || spin_has(import), "{name} imports {import}");
        }
        assert!(
            surface
                .exports
                .contains(&"wasi:http/handler@0.3.0".to_owned())
        );
    }
}

/// What a host has that knows nothing but WASI, as `wasmtime serve` does.
struct Plain {
    hooks: Unreachable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
}

/// Nothing is called when a component is only taken.
struct Unreachable;

impl WasiHttpHooks for Unreachable {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        unreachable!("no instance is made")
    }
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiView for Plain {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Plain {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

fn plain(component: &Path) -> wasmtime::Result<()> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config)?;
    let mut linker = Linker::<Plain>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    let component = Component::from_file(&engine, component)?;
    let instance = linker.instantiate_pre(&component)?;
    wasmtime_wasi_http::p3::bindings::ServicePre::new(instance)?;
    Ok(())
}

#[test]
fn what_is_composed_of_wasi_alone_runs_on_a_plain_host() {
    let guest = fixture("fixture-guest-verify");
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("spin.toml");
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"verify\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"verify\"\n\
         [component.verify]\nsource = \"{}\"\n\
         [component.verify.dependencies]\n\"fermyon:hmac@0.1.0\" = {{ path = \"{}\" }}\n",
        guest.display(),
        hmac().display()
    );
    std::fs::write(&manifest, text).unwrap();
    let linked = folder.path().join("linked.wasm");
    let output = signet()
        .args(["compose", manifest.to_str().unwrap(), "-o"])
        .arg(&linked)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let unlinked = plain(&guest).unwrap_err();
    assert!(
        format!("{unlinked:#}").contains("fermyon:hmac/verify"),
        "{unlinked:#}"
    );
    plain(&linked).unwrap();

    // Of `printf body | openssl dgst -sha256 -hmac secret`.
    let tag = "DC46983557FEA127B43AF721467EB9B3FDE2338FE3E14F51952AA8478C13D355";
    let host = Host::of(linked).start();
    let ask = |tag: &str| post(host.address(), "/", &[("x-signature", tag)], b"body");
    assert_eq!(ask(tag).status, 200);
    assert_eq!(ask("0").status, 401);
}
