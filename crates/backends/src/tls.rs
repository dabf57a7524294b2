//! One TLS configuration for every connection that leaves this process.
//!
//! Trusted are the authorities compiled in (so that a machine without certificates works) together with those
//! of the operating system (so that a company's own authority works). The cryptography is ring, named here
//! rather than installed for the process, so that no order of start-up matters.

use std::sync::{Arc, OnceLock};

use mps_core::{Error, Result};
use rustls::{ClientConfig, RootCertStore};

/// The configuration of a client that speaks HTTP/1.1.
pub(crate) fn client_config() -> Result<ClientConfig> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| Arc::new(roots())).clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("cannot set up TLS").because(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "cannot read some of the system's certificates");
    }
    let (added, ignored) = roots.add_parsable_certificates(system.certs);
    tracing::debug!(added, ignored, "system certificates");
    roots
}
