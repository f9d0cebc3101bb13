//! Certificates for one test, with their own certificate authority.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// A server's identity for `localhost` and its certificate authority.
#[derive(Clone)]
pub struct Certificate {
    /// The authority's certificate in PEM, to be trusted by clients.
    pub authority: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Certificate {
    /// Creates a certificate.
    ///
    /// # Panics
    ///
    /// When none can be created.
    #[must_use]
    pub fn new() -> Self {
        let pair = || KeyPair::generate().expect("a pair of keys");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, pair()).expect("an authority");
        let (key, names) = (pair(), vec!["localhost".to_owned()]);
        let server = CertificateParams::new(names).expect("a good name");
        let server = server.signed_by(&key, &authority).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("known versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("key and certificate fit");
        Self { authority: authority.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
