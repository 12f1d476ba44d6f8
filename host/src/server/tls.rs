//! A listener's certificate and its key. Comes in: two files in PEM form; goes out: what a handshake needs,
//! or what is wrong with the files and how to mend it. Never logs what stands in them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// The protocols that are offered, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What speaks TLS for a listener.
#[derive(Clone)]
pub struct Tls(pub(super) TlsAcceptor);

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: correct the path, or let this user read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is not in PEM form: write it as text between `-----BEGIN` and `-----END` lines", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{} has no certificate in it: the certificate and those that vouch for it belong there, its own first", .0.display())]
    NoCertificate(PathBuf),
    /// There is no key in the file.
    #[error("{} has no private key in it: write the certificate's key there, not encrypted", .0.display())]
    NoKey(PathBuf),
    /// The two do not belong together, or are of a kind that is not supported.
    #[error("{} does not fit the certificate in {}: give the key that the certificate was made for", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What TLS said.
        source: rustls::Error,
    },
}

impl Tls {
    /// Reads a certificate, with those that vouch for it, and its key.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let certificates = read(cert)?;
        let certificates = CertificateDer::pem_slice_iter(&certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| TlsError::NotPem {
                path: cert.to_owned(),
                source,
            })?;
        if certificates.is_empty() {
            return Err(TlsError::NoCertificate(cert.to_owned()));
        }
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|source| match source {
            pem::Error::NoItemsFound => TlsError::NoKey(key.to_owned()),
            source => TlsError::NotPem {
                path: key.to_owned(),
                source,
            },
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(certificates, secret)
            });
        let mut config = config.map_err(|source| TlsError::Mismatch {
            cert: cert.to_owned(),
            key: key.to_owned(),
            source,
        })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        warn_if_open(key);
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let bytes = std::fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    });
    bytes.map(Zeroizing::new)
}

/// A key is its owner's, or a group's at most.
fn warn_if_open(key: &Path) {
    #[cfg(unix)]
    if let Ok(file) = std::fs::metadata(key) {
        use std::os::unix::fs::PermissionsExt as _;
        if file.permissions().mode() & 0o007 != 0 {
            tracing::warn!(
                key = %key.display(),
                "everybody on this machine may read the private key: take that away, with `chmod o= FILE`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(cert: &str, key: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let paths = [("cert.pem", cert), ("key.pem", key)].map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        match Tls::load(&paths[0], &paths[1]) {
            Ok(_) => "fits".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_certificate_is_served_with_its_own_key_alone() {
        let make = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (one, other) = (make(), make());
        let (cert, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        assert_eq!(load(&cert, &key), "fits");
        // Both may be in one file.
        let both = format!("{cert}{key}");
        assert_eq!(load(&both, &both), "fits");
        for (cert, key, part) in [
            (
                &*cert,
                &*other.signing_key.serialize_pem(),
                "does not fit the certificate",
            ),
            (&*cert, &*cert, "has no private key"),
            (&*key, &*key, "has no certificate"),
            ("", "", "has no certificate"),
            ("nonsense", &*key, "has no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\n!\n",
                &*key,
                "is not in PEM form",
            ),
            (
                &*cert,
                "-----BEGIN PRIVATE KEY-----\nAAAA\n",
                "is not in PEM form",
            ),
        ] {
            let said = load(cert, key);
            assert!(said.contains(part), "{said} is not: {part}");
        }
        let missing = Tls::load(
            Path::new("/nowhere/cert.pem"),
            Path::new("/nowhere/key.pem"),
        );
        let said = missing.err().unwrap().to_string();
        assert!(
            said.starts_with("/nowhere/cert.pem cannot be read"),
            "{said}"
        );
    }
}
