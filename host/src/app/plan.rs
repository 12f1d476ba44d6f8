//! What is to be run: manifests, read and checked, and where each app listens. Comes in: paths, or
//! nothing for the built-in app; goes out: a plan without mistakes. Never opens a database or a socket.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::builtin;
use crate::manifest::{self, HostConfig, Kind, Mistakes, TlsFiles};

/// Manifests that belong together, and the files they name.
#[derive(Debug)]
pub struct Plan {
    /// How this host runs the apps.
    pub host: HostConfig,
    /// The apps, in the order given.
    pub apps: Vec<Planned>,
    /// Where the manifests' files are read from.
    pub files: Files,
}

/// One app and its address.
#[derive(Debug)]
pub struct Planned {
    /// The app's manifest.
    pub app: manifest::App,
    /// Where it is served.
    pub listen: SocketAddr,
    /// What it is served with over TLS.
    pub tls: Option<TlsFiles>,
}

/// Where files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// From disk.
    Disk,
    /// From this binary.
    Builtin,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The manifests have mistakes.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// There is no address for an app.
    #[error("{} has no address: give one --listen for each manifest, in their order", .0.display())]
    NoAddress(PathBuf),
    /// Two apps have one address, and one of them would never be reached.
    #[error("{} is to be served on {listen}, as {} is: give each app an address of its own, with one --listen for each manifest in their order", path.display(), first.display())]
    SameAddress {
        /// The later manifest.
        path: PathBuf,
        /// The earlier one.
        first: PathBuf,
        /// The address.
        listen: SocketAddr,
    },
    /// Two apps have one name, and would have one state folder.
    #[error("{} is named {name}, as another app of this host is: what each stores is kept by its name", path.display())]
    SameName {
        /// The later manifest.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A component was asked for that no manifest has.
    #[error("there is no component `{name}`: there {}", listed(.have))]
    NoComponent {
        /// The name that was asked for.
        name: String,
        /// Those that there are.
        have: Vec<String>,
    },
    /// Manifests of both kinds were given.
    #[error("{} says how a host runs its apps and stands alone: give one signet.toml, or any number of spin.toml", .0.display())]
    Mixed(PathBuf),
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "are none".to_owned(),
        [one] => format!("is `{one}`"),
        many => format!("are {}", many.join(", ")),
    }
}

/// Where an app is served whose manifest comes without an address: Spin's default.
const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

impl Files {
    /// The bytes of a file.
    pub fn read(self, path: &Path) -> io::Result<Cow<'static, [u8]>> {
        match self {
            Self::Disk => std::fs::read(path).map(Cow::Owned),
            Self::Builtin => builtin::file(path).map(Cow::Borrowed).ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, "not part of the built-in app")
            }),
        }
    }

    /// The text of a file.
    pub fn text(self, path: &Path) -> io::Result<String> {
        let bytes = self.read(path)?.into_owned();
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl Plan {
    /// The built-in app, at the addresses given or at those of its `signet.toml`.
    pub fn builtin(listen: &[SocketAddr]) -> Result<Self, PlanError> {
        Self::from_files(Files::Builtin, &[PathBuf::from(builtin::MANIFEST)], listen)
    }

    /// The apps of one `signet.toml`, or of some `spin.toml`. A folder stands for the one that is in it.
    pub fn read(paths: &[PathBuf], listen: &[SocketAddr]) -> Result<Self, PlanError> {
        let paths: Vec<_> = paths.iter().map(|path| manifest_in(path)).collect();
        Self::from_files(Files::Disk, &paths, listen)
    }

    /// A plan without manifests: one app, made by the caller. What it is granted is configured by that: a
    /// file in the state folder.
    pub fn single(app: manifest::App, listen: SocketAddr, state_dir: &Path) -> Self {
        let mut host = HostConfig::beside(state_dir);
        for component in &app.components {
            host.sqlite_databases.extend(
                component
                    .sqlite_databases
                    .iter()
                    .map(|label| (label.clone(), None)),
            );
            host.key_value_stores.extend(
                component
                    .key_value_stores
                    .iter()
                    .map(|label| (label.clone(), None)),
            );
        }
        Self {
            host,
            apps: vec![Planned {
                app,
                listen,
                tls: None,
            }],
            files: Files::Disk,
        }
    }

    /// The components of all apps, or the one of this name.
    pub fn components(&self, one: Option<&str>) -> Result<Vec<&manifest::Component>, PlanError> {
        let all = || self.apps.iter().flat_map(|planned| &planned.app.components);
        let wanted = all().filter(|component| one.is_none_or(|one| one == component.name));
        match (wanted.collect::<Vec<_>>(), one) {
            (found, Some(name)) if found.is_empty() => Err(PlanError::NoComponent {
                name: name.to_owned(),
                have: all().map(|component| component.name.clone()).collect(),
            }),
            (found, _) => Ok(found),
        }
    }

    fn from_files(
        files: Files,
        paths: &[PathBuf],
        listen: &[SocketAddr],
    ) -> Result<Self, PlanError> {
        let mut texts = Vec::new();
        for path in paths {
            let text = text_of(files, path)?;
            if manifest::kind(&text) == Kind::Host {
                if paths.len() > 1 {
                    return Err(PlanError::Mixed(path.clone()));
                }
                return Self::of_host(files, &text, path, listen);
            }
            texts.push((path.clone(), text));
        }
        let folder = paths
            .first()
            .and_then(|path| path.parent())
            .unwrap_or(Path::new(""));
        let host = HostConfig::beside(&folder.join(".signet"));
        let default = DEFAULT_LISTEN.parse().ok();
        let apps = texts.into_iter().enumerate().map(|(index, (path, text))| {
            let listen = listen
                .get(index)
                .copied()
                .or(default.filter(|_| index == 0));
            (path, text, listen)
        });
        Self::of_apps(files, host, apps.collect())
    }

    fn of_host(
        files: Files,
        text: &str,
        path: &Path,
        listen: &[SocketAddr],
    ) -> Result<Self, PlanError> {
        let host = manifest::read_host(text, path)?;
        let mut apps = Vec::new();
        for (index, entry) in host.apps.iter().enumerate() {
            let listen = listen.get(index).copied().unwrap_or(entry.listen);
            apps.push((
                entry.manifest.clone(),
                text_of(files, &entry.manifest)?,
                Some(listen),
            ));
        }
        let tls: Vec<_> = host.apps.iter().map(|entry| entry.tls.clone()).collect();
        let mut plan = Self::of_apps(files, host, apps)?;
        for (planned, tls) in plan.apps.iter_mut().zip(tls) {
            planned.tls = tls;
        }
        Ok(plan)
    }

    /// Serves all apps over TLS, with this certificate in place of their own.
    pub fn encrypt(&mut self, tls: &TlsFiles) {
        for planned in &mut self.apps {
            planned.tls = Some(tls.clone());
        }
    }

    /// Reads all manifests before it complains about any.
    fn of_apps(
        files: Files,
        host: HostConfig,
        texts: Vec<(PathBuf, String, Option<SocketAddr>)>,
    ) -> Result<Self, PlanError> {
        let (mut read, mut mistakes) = (Vec::new(), Vec::new());
        for (path, text, listen) in texts {
            match manifest::read_app(&text, &path) {
                Ok(app) => read.push((app, listen)),
                Err(Mistakes(found)) => mistakes.extend(found),
            }
        }
        if !mistakes.is_empty() {
            return Err(Mistakes(mistakes).into());
        }
        let mut apps: Vec<Planned> = Vec::new();
        for (app, listen) in read {
            if apps.iter().any(|planned| planned.app.name == app.name) {
                return Err(PlanError::SameName {
                    path: app.path,
                    name: app.name,
                });
            }
            let listen = listen.ok_or_else(|| PlanError::NoAddress(app.path.clone()))?;
            // Port 0 is another port each time.
            let same = |planned: &&Planned| listen.port() != 0 && planned.listen == listen;
            if let Some(first) = apps.iter().find(same) {
                return Err(PlanError::SameAddress {
                    path: app.path,
                    first: first.app.path.clone(),
                    listen,
                });
            }
            apps.push(Planned {
                app,
                listen,
                tls: None,
            });
        }
        Ok(Self { host, apps, files })
    }
}

/// The manifest in a folder; what is no folder is a manifest itself.
fn manifest_in(path: &Path) -> PathBuf {
    let (app, host) = (path.join("spin.toml"), path.join("signet.toml"));
    if !path.is_dir() {
        path.to_owned()
    } else if !app.exists() && host.exists() {
        host
    } else {
        app
    }
}

fn text_of(files: Files, path: &Path) -> Result<String, PlanError> {
    files.text(path).map_err(|source| PlanError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
