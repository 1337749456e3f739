//! TLS by rustls with the ring provider, named explicitly so that no process-wide default is needed.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::Secret;
use super::stream::Stream;

/// Whom to trust, and who we are.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM certificates that are trusted instead of the system's.
    pub ca_pem: Option<String>,
    /// Checks the certificate's chain but not that it names the host.
    pub any_name: bool,
    /// Checks nothing: the traffic is encrypted, for whoever answered.
    pub insecure: bool,
    /// Our own certificate chain and its key, both PEM.
    pub client: Option<(String, Secret)>,
}

/// Why TLS cannot be set up or the other side is not believed.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The given certificates hold none that can be read.
    #[error("the CA certificate is no PEM certificate")]
    Ca,
    /// The system has no trusted certificates.
    #[error("this system has no trusted root certificates (package ca-certificates)")]
    NoRoots,
    /// The client certificate or its key cannot be used.
    #[error("the client certificate or its key cannot be used")]
    Client,
    /// A name that no certificate can have.
    #[error("{0:?} is no host name")]
    Name(String),
    /// The library refuses the configuration.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    /// The handshake failed; the source says whether the certificate was the reason.
    #[error("TLS handshake failed")]
    Handshake(#[source] std::io::Error),
}

/// A client configuration for `trust`, without ALPN.
///
/// # Errors
/// When the certificates cannot be read, or the system has none.
pub fn client_config(trust: &Trust) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    let builder = if trust.insecure || trust.any_name {
        let chain = if trust.insecure {
            None
        } else {
            let roots = Arc::new(roots(trust)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
            Some(verifier.map_err(|_| TlsError::Ca)?)
        };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Lenient { provider, chain }))
    } else {
        builder.with_root_certificates(roots(trust)?)
    };
    match &trust.client {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => {
            let chain = certificates(chain).ok_or(TlsError::Client)?;
            let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| TlsError::Client)?;
            builder.with_client_auth_cert(chain, key).map_err(|_| TlsError::Client)
        }
    }
}

/// Puts TLS over a stream.
///
/// # Errors
/// When the name is none or the handshake fails.
pub async fn wrap(config: Arc<ClientConfig>, name: &str, stream: Stream) -> Result<Stream, TlsError> {
    let server = ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
    let wrapped = TlsConnector::from(config).connect(server, stream).await.map_err(TlsError::Handshake)?;
    Ok(Box::new(wrapped))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider())).clone()
}

fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.ok().filter(|certificates| !certificates.is_empty())
}

fn roots(trust: &Trust) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    match &trust.ca_pem {
        Some(pem) => {
            let given = certificates(pem).ok_or(TlsError::Ca)?;
            let (added, _) = store.add_parsable_certificates(given);
            if added == 0 { Err(TlsError::Ca) } else { Ok(store) }
        }
        None => {
            // Reading the system's certificates takes tens of milliseconds; they do not change while the program runs.
            static NATIVE: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
            let native = NATIVE.get_or_init(|| rustls_native_certs::load_native_certs().certs);
            let (added, _) = store.add_parsable_certificates(native.iter().cloned());
            if added == 0 { Err(TlsError::NoRoots) } else { Ok(store) }
        }
    }
}

/// Checks signatures, and the chain where there is one to check against, but never the name.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_certificate() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\n###\n-----END CERTIFICATE-----\n"] {
            let trust = Trust { ca_pem: Some(pem.to_owned()), ..Trust::default() };
            assert!(matches!(client_config(&trust), Err(TlsError::Ca)), "{pem:?}");
        }
        let client = Some((String::new(), Secret::new("")));
        let trust = Trust { insecure: true, client, ..Trust::default() };
        assert!(matches!(client_config(&trust), Err(TlsError::Client)));
    }
}
