//! The hosts and their command lines. Comes in: a component and an address; goes out: the command that serves it.
//! Logging is off everywhere; every host gets the same component bytes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::guests::{Guests, app};
use crate::invocation::Invocation;
use crate::machine::Halves;

/// What all commands need to know.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// The project's folder, which all commands are run in.
    pub(crate) root: PathBuf,
    /// Where everything is written.
    pub(crate) out: PathBuf,
    pub(crate) signet: PathBuf,
    pub(crate) wasmtime: PathBuf,
    pub(crate) oha: PathBuf,
    pub(crate) native: PathBuf,
    pub(crate) halves: Halves,
    pub(crate) guests: Guests,
}

/// How instances are reused: requests one after another, and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// What the host does by itself.
    Default,
    /// An instance for each request.
    Fresh,
    /// 128 requests one after another.
    Serial,
}

impl Reuse {
    /// Lines of the component's table in its manifest.
    fn lines(self) -> &'static str {
        match self {
            Self::Default => "",
            Self::Fresh => "tool.signet.max_reuse = 1\ntool.signet.max_concurrent = 1\n",
            Self::Serial => "tool.signet.max_serial_reuse = 128\n",
        }
    }

    /// The flags of `wasmtime serve`.
    fn flags(self) -> &'static [&'static str] {
        const COUNT: &str = "--max-instance-reuse-count";
        const CONCURRENT: &str = "--max-instance-concurrent-reuse-count";
        match self {
            Self::Default => &[],
            Self::Fresh => &[COUNT, "1", CONCURRENT, "1"],
            Self::Serial => &[COUNT, "128", CONCURRENT, "1"],
        }
    }
}

/// What helps `wasmtime serve` most: it allocates from a pool by itself; with these it keeps what instances touch,
/// and asks the system which pages those were.
pub(crate) const BEST_FLAGS: &str = "pooling-allocator=y,pooling-memory-keep-resident=2097152,\
     pooling-table-keep-resident=524288,pooling-async-stack-keep-resident=65536,pooling-pagemap-scan=y";

impl Hosts {
    /// Signet with a manifest or several, without the guests' lines.
    pub(crate) fn signet(&self, manifest: &Path) -> Invocation {
        self.bare_signet(&self.cache())
            .arg("run")
            .arg(manifest.display().to_string())
    }

    /// Signet without a command; compiled components are kept in `cache`.
    pub(crate) fn bare_signet(&self, cache: &Path) -> Invocation {
        Invocation::built(&self.signet, &self.root)
            .env("RUST_LOG", "off")
            .env("SIGNET_CACHE_DIR", cache.display().to_string())
            .on(self.halves.server.as_deref())
    }

    /// What ends a command of Signet that serves.
    pub(crate) fn listening(&self, signet: Invocation, address: SocketAddr) -> Invocation {
        self.silent(signet.args(["--listen", &address.to_string()]))
    }

    /// The same for one whose addresses stand in its file.
    pub(crate) fn silent(&self, signet: Invocation) -> Invocation {
        signet
            .args(["--state-dir", &self.state().display().to_string()])
            .arg("--quiet")
    }

    /// The folder for what Signet keeps; gone before each start.
    pub(crate) fn state(&self) -> PathBuf {
        self.out.join("state")
    }

    /// The folder for compiled components.
    pub(crate) fn cache(&self) -> PathBuf {
        self.out.join("cache")
    }

    /// The same, empty before each start of a case that starts cold.
    pub(crate) fn cold_cache(&self) -> PathBuf {
        self.out.join("cold-cache")
    }

    /// `wasmtime serve`. It has a cache of its own, in the same folder.
    pub(crate) fn serve(
        &self,
        component: &Path,
        reuse: Reuse,
        best: bool,
        cache: &Path,
        address: SocketAddr,
    ) -> Invocation {
        let mut serve = Invocation::tool(&self.wasmtime, "wasmtime")
            .on(self.halves.server.as_deref())
            .args(["serve", "-S", "cli"])
            .args([
                "-C",
                &format!("cache-config={}", cache.join("wasmtime.toml").display()),
            ]);
        if best {
            serve = serve.args(["-O", BEST_FLAGS]);
        }
        serve
            .args(reuse.flags().iter().copied())
            .args(["--addr", &address.to_string()])
            .arg(component.display().to_string())
    }

    /// Writes what `wasmtime serve` reads of its cache.
    pub(crate) fn write_cache(&self, cache: &Path) -> Result<()> {
        std::fs::create_dir_all(cache)?;
        let folder = cache.join("wasmtime");
        let text = format!("[cache]\ndirectory = \"{}\"\n", folder.display());
        std::fs::write(cache.join("wasmtime.toml"), text)?;
        Ok(())
    }

    /// The native reference.
    pub(crate) fn native(&self, mode: &str, address: SocketAddr) -> Invocation {
        Invocation::built(&self.native, &self.root)
            .on(self.halves.server.as_deref())
            .args(["native", "--mode", mode, "--listen", &address.to_string()])
    }

    /// Whom the server calls, beside the generator.
    pub(crate) fn sink(&self, address: SocketAddr) -> Invocation {
        self.native("sink", address)
            .on(self.halves.generator.as_deref())
    }

    /// Whom the server delivers to, beside the one who posts.
    pub(crate) fn receiver(&self, address: SocketAddr) -> Invocation {
        self.native("receiver", address)
            .on(self.halves.generator.as_deref())
    }

    /// Who posts events.
    pub(crate) fn post(&self, producer: SocketAddr) -> Invocation {
        Invocation::built(&self.native, &self.root)
            .on(self.halves.generator.as_deref())
            .args(["post", "--to", &producer.to_string()])
    }

    /// The load generator.
    pub(crate) fn oha(&self) -> Invocation {
        let threads = self.halves.generator_count.to_string();
        Invocation::tool(&self.oha, "oha")
            .on(self.halves.generator.as_deref())
            .args(["--worker-threads", &threads])
    }

    /// Writes the manifest of an app of one component, and returns where it is.
    pub(crate) fn manifest(
        &self,
        name: &str,
        component: &Path,
        reuse: Reuse,
        more: &str,
    ) -> Result<PathBuf> {
        let lines = format!("{}{more}", reuse.lines());
        self.write(&format!("apps/{name}.toml"), app(name, component, &lines))
    }

    /// Writes a file below the run's folder.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<PathBuf> {
        let file = self.out.join(name);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&file, contents)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(file)
    }
}

/// The project's folder.
pub(crate) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root
        .canonicalize()
        .context("the project's folder is gone")?;
    ensure!(
        root.join("Cargo.lock").exists(),
        "{} is not the project's folder",
        root.display()
    );
    Ok(root)
}
