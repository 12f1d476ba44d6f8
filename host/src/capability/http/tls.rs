//! TLS for requests to elsewhere, with the platform's trusted roots. Comes in: the platform; goes out: a
//! configuration. Never trusts what the platform does not.

use std::sync::{Arc, OnceLock};

use hyper_rustls::ConfigBuilderExt as _;

/// The platform's trusted roots, read once, when the first component asks for them.
#[derive(Clone, Default)]
pub struct TlsRoots(Arc<OnceLock<rustls::ClientConfig>>);

impl TlsRoots {
    pub(super) fn config(&self) -> rustls::ClientConfig {
        self.0.get_or_init(config).clone()
    }
}

fn config() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
    };
    // The provider supports the default versions, so the second arm is for the type alone.
    let Ok(versions) = builder() else {
        return no_roots(rustls::ClientConfig::builder());
    };
    match versions.with_native_roots() {
        Ok(roots) => roots.with_no_client_auth(),
        Err(reason) => {
            tracing::warn!(%reason, "no trusted roots on this system: https destinations will fail");
            no_roots(rustls::ClientConfig::builder())
        }
    }
}

fn no_roots(
    builder: rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>,
) -> rustls::ClientConfig {
    builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
