//! A host in the test's own process, described as one would say it, and the components that only tests
//! use, built once.

mod client;
mod fixture;
mod process;
pub(crate) mod receiver;
mod rude;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use signet::app::plan::Plan;
use signet::app::{App, Options, Running, Watch};
use signet::capability::http::Resolve;
use signet::telemetry::{Lines, LogFormat, Writer};
use tempfile::TempDir;

pub(crate) use client::{Answer, Connection, delete, get, post, request};
pub(crate) use fixture::{build as build_guests, fixture, root};
pub(crate) use process::{Process, signet};
pub(crate) use receiver::Receiver;
pub(crate) use rude::Rude;

/// A built-in component as a file. Each test writes the same, so whoever reads it is not to see it half written.
pub(crate) fn builtin_file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{name}.wasm"));
    let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
    std::io::Write::write_all(&mut file, signet::builtin::component(name).unwrap()).unwrap();
    file.persist(&path).unwrap();
    path
}

/// The built-in hmac component as a file.
pub(crate) fn hmac() -> PathBuf {
    builtin_file("hmac")
}

/// Compiled components shared by all tests of a run, so that each is compiled once.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// A host to be, with one app of one component.
pub(crate) struct Host {
    component: String,
    variables: String,
    extra: String,
    dependencies: String,
    source: PathBuf,
    folder: TempDir,
    cache: PathBuf,
    flags: Vec<(String, String)>,
    host: String,
    app: String,
    threads: usize,
    resolver: Option<Arc<dyn Resolve>>,
    watch: Option<Watch>,
}

impl Host {
    /// A host for one component, to which nothing is granted.
    pub(crate) fn of(source: PathBuf) -> Self {
        Self {
            component: String::new(),
            variables: String::new(),
            extra: String::new(),
            dependencies: String::new(),
            source,
            folder: tempfile::tempdir().unwrap(),
            cache: cache(),
            flags: Vec::new(),
            host: String::new(),
            app: String::new(),
            threads: 2,
            resolver: None,
            watch: None,
        }
    }

    /// With someone else than the system who knows the addresses of names.
    pub(crate) fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Lines of the `signet.toml` that runs the app.
    pub(crate) fn host(mut self, text: &str) -> Self {
        writeln!(self.host, "{text}").unwrap();
        self
    }

    /// A line of the app's own table there.
    pub(crate) fn app(mut self, line: &str) -> Self {
        writeln!(self.app, "{line}").unwrap();
        self
    }

    /// With so many threads that serve, in place of two.
    pub(crate) fn threads(mut self, count: usize) -> Self {
        self.threads = count;
        self
    }

    /// A line of the component's table in its manifest.
    pub(crate) fn with(mut self, line: &str) -> Self {
        writeln!(self.component, "{line}").unwrap();
        self
    }

    /// More of the manifest, behind the component's table.
    pub(crate) fn and(mut self, text: &str) -> Self {
        writeln!(self.extra, "{text}").unwrap();
        self
    }

    /// A variable of the app that is also the component's, with a value.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        writeln!(
            self.variables,
            "{name} = {{ required = true, secret = true }}"
        )
        .unwrap();
        writeln!(
            self.extra,
            "[component.guest.variables]\n{name} = \"{{{{ {name} }}}}\""
        )
        .unwrap();
        self.flags.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Links what `import` selects to the component in `path`; `more` goes into the dependency's table.
    pub(crate) fn link(mut self, import: &str, path: &Path, more: &str) -> Self {
        writeln!(
            self.dependencies,
            "\"{import}\" = {{ path = \"{}\"{more} }}",
            path.display()
        )
        .unwrap();
        self
    }

    /// Keeps compiled components somewhere else than the other tests do.
    pub(crate) fn cache(mut self, folder: &Path) -> Self {
        self.cache = folder.to_owned();
        self
    }

    /// A host that watches its files.
    pub(crate) fn watch(mut self) -> Self {
        self.watch = Some(Watch::default());
        self
    }

    /// Opens the app without serving it.
    pub(crate) fn open(&self) -> anyhow::Result<(App, Writer, Output)> {
        let file = self.write()?;
        open(Plan::read(&[file], &[])?, self.options())
    }

    /// Writes the manifests, and gives the host's.
    fn write(&self) -> std::io::Result<PathBuf> {
        let manifest = self.folder.path().join("spin.toml");
        let (component, extra, source) = (&self.component, &self.extra, self.source.display());
        let (variables, dependencies) = (&self.variables, &self.dependencies);
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"test\"\n[variables]\n{variables}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
             [component.guest]\nsource = \"{source}\"\n{component}\n\
             [component.guest.dependencies]\n{dependencies}\n{extra}"
        );
        std::fs::write(&manifest, text)?;
        let file = self.folder.path().join("signet.toml");
        let host = &self.host;
        let own = &self.app;
        let app = "[[app]]\nmanifest = \"spin.toml\"\nlisten = \"127.0.0.1:0\"";
        std::fs::write(&file, format!("{host}\n{app}\n{own}"))?;
        Ok(file)
    }

    fn options(&self) -> Options {
        Options {
            variables: self.flags.clone(),
            cache_dir: Some(self.cache.clone()),
            threads: std::num::NonZeroUsize::new(self.threads),
            resolver: self.resolver.clone(),
            watch: self.watch.clone(),
            ..Options::default()
        }
    }

    /// Serves the app.
    pub(crate) fn start(self) -> Served {
        let (app, writer, output) = self.open().unwrap();
        Served {
            running: Some(app.start().unwrap()),
            writer: Some(writer),
            output,
            _folder: Some(self.folder),
        }
    }

    /// Serves the app as a process of its own.
    pub(crate) fn process(self) -> Process {
        self.write().unwrap();
        let threads = self.threads.to_string();
        let flags: Vec<_> = self.flags.iter().collect();
        let flags = flags
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        let mut arguments = vec![
            "run".into(),
            "signet.toml".into(),
            "--threads".into(),
            threads,
        ];
        arguments.extend(flags.flat_map(|flag| ["--variable".to_owned(), flag]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Process::within(self.folder, &arguments)
    }

    /// The folder of the manifest and of the app's state.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Opens any plan, with its guests' lines kept.
pub(crate) fn open(plan: Plan, options: Options) -> anyhow::Result<(App, Writer, Output)> {
    let output = Output::default();
    let (lines, writer) = Lines::start(LogFormat::Pretty, output.clone(), false)?;
    Ok((App::open(plan, options, lines)?, writer, output))
}

/// The built-in app on free ports; the folder keeps its state.
pub(crate) fn builtin(folder: &Path, variables: &[(&str, &str)]) -> Served {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let consumer = std::net::TcpListener::bind(any)
        .unwrap()
        .local_addr()
        .unwrap();
    let plan = Plan::builtin(&[any, consumer]).unwrap();
    let mut flags = vec![("consumer_port".to_owned(), consumer.port().to_string())];
    flags.extend(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let options = Options {
        variables: flags,
        state_dir: Some(folder.join("state")),
        cache_dir: Some(cache()),
        threads: std::num::NonZeroUsize::new(2),
        ..Options::default()
    };
    let (app, writer, output) = open(plan, options).unwrap();
    Served {
        running: Some(app.start().unwrap()),
        writer: Some(writer),
        output,
        _folder: None,
    }
}

/// A plan, opened with its state in this folder and not served.
pub(crate) fn open_in(
    folder: &Path,
    plan: Plan,
    variables: &[(&str, &str)],
) -> anyhow::Result<App> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let options = Options {
        variables: variables.iter().map(owned).collect(),
        state_dir: Some(folder.join("state")),
        cache_dir: Some(cache()),
        threads: std::num::NonZeroUsize::new(1),
        ..Options::default()
    };
    open(plan, options).map(|(app, _, _)| app)
}

/// An app of the test's own manifest.
pub(crate) fn serve(manifest: &Path, variables: &[(&str, &str)]) -> Served {
    let any = "127.0.0.1:0".parse().unwrap();
    serve_all(&[manifest.to_owned()], &[any], variables, None)
}

/// Apps of manifests that stand somewhere, one address for each; `state` keeps their state.
pub(crate) fn serve_all(
    manifests: &[PathBuf],
    addresses: &[SocketAddr],
    variables: &[(&str, &str)],
    state: Option<&Path>,
) -> Served {
    let plan = Plan::read(manifests, addresses).unwrap();
    let options = Options {
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        state_dir: state.map(Path::to_owned),
        cache_dir: Some(cache()),
        threads: std::num::NonZeroUsize::new(2),
        ..Options::default()
    };
    let (app, writer, output) = open(plan, options).unwrap();
    Served {
        running: Some(app.start().unwrap()),
        writer: Some(writer),
        output,
        _folder: None,
    }
}

/// A host that serves until it is dropped.
pub(crate) struct Served {
    running: Option<Running>,
    writer: Option<Writer>,
    output: Output,
    _folder: Option<TempDir>,
}

impl Served {
    /// The address of the first app.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses()[0]
    }

    /// The addresses of all apps.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.running
            .as_ref()
            .unwrap()
            .addresses()
            .map(|(_, address)| address)
            .collect()
    }

    /// The app while it runs.
    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// The body of a GET of the first app, which must be answered 200.
    pub(crate) fn get(&self, path: &str) -> String {
        let answer = get(self.address(), path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Stops, waits, and gives what the guests printed.
    pub(crate) fn stop(mut self) -> String {
        self.end();
        self.output.text()
    }

    fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.wait().unwrap();
        }
        if let Some(writer) = self.writer.take() {
            writer.finish();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

/// What the guests printed.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// As text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
