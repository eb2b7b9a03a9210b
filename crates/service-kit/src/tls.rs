//! Files with certificates and keys: what our own ports show, and whom we trust as a client.
//!
//! - [`ServerTls`]: the certificate of this process's ports, by `TLS_CERT_FILE` and `TLS_KEY_FILE`.
//! - [`read_ca`]: an authority's certificates, for clients.
//! - [`install_provider`]: the one provider of cryptography.

use std::{fmt, path::Path, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject as _},
        },
    },
};

/// The certificate and key of our own ports, read once: a restart takes new ones.
#[derive(Clone)]
pub struct ServerTls(Arc<ServerConfig>);

/// What is spoken inside TLS, as both sides agree in the handshake (ALPN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, for gRPC.
    Http2,
}

/// Makes `ring` the process's provider of cryptography; later calls change nothing. Libraries that are
/// not told one would otherwise panic as soon as a second is linked.
pub fn install_provider() {
    // An error only says that there is one already.
    let _ = ring::default_provider().install_default();
}

impl ServerTls {
    /// The certificate and key in these files; none: no TLS.
    ///
    /// # Errors
    /// In words that name the variable: one without the other, a file that cannot be read or holds
    /// nothing of the kind, a key that is not the certificate's.
    pub fn read(cert_file: Option<&Path>, key_file: Option<&Path>) -> Result<Option<Self>, String> {
        let (cert_file, key_file) = match (cert_file, key_file) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(alone("TLS_CERT_FILE", "TLS_KEY_FILE")),
            (None, Some(_)) => return Err(alone("TLS_KEY_FILE", "TLS_CERT_FILE")),
            (Some(cert_file), Some(key_file)) => (cert_file, key_file),
        };
        let chain = read_chain(cert_file, "TLS_CERT_FILE")?;
        let key = PrivateKeyDer::from_pem_slice(&read(key_file, "TLS_KEY_FILE")?);
        let key = key.map_err(|error| unusable("TLS_KEY_FILE", key_file, "private key", &error))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                "TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE".to_owned()
            }
            error => format!("TLS_CERT_FILE and TLS_KEY_FILE cannot be used: {error}"),
        })?;
        Ok(Some(Self(Arc::new(config))))
    }

    /// What opens connections that speak `protocol`.
    pub(crate) fn acceptor(&self, protocol: Protocol) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.0);
        config.alpn_protocols = vec![protocol.name().to_vec()];
        Arc::new(config).into()
    }
}

// The key must not show.
impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

impl Protocol {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// The PEM text of the authorities in `file`, which a client is to trust instead of the machine's own.
///
/// # Errors
/// In words that name `variable`: the file cannot be read, or holds no certificate.
pub fn read_ca(file: &Path, variable: &'static str) -> Result<Vec<u8>, String> {
    read_chain(file, variable)?;
    read(file, variable)
}

fn read_chain(file: &Path, variable: &'static str) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(file, variable)?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if chain.is_empty() => Err(unusable(
            variable,
            file,
            "certificate",
            &pem::Error::NoItemsFound,
        )),
        Ok(chain) => Ok(chain),
        Err(error) => Err(unusable(variable, file, "certificate", &error)),
    }
}

fn read(file: &Path, variable: &'static str) -> Result<Vec<u8>, String> {
    std::fs::read(file)
        .map_err(|error| format!("{variable}: {} cannot be read: {error}", file.display()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn alone(set: &str, missing: &str) -> String {
    format!("{set} is set, but {missing} is not: TLS needs both, set neither to serve without it")
}

/// The error is not repeated where it could quote the file, which may be a key.
fn unusable(variable: &str, file: &Path, what: &str, error: &pem::Error) -> String {
    let why = match error {
        pem::Error::NoItemsFound => "holds none",
        _ => "is broken",
    };
    format!(
        "{variable}: {} must hold a {what} in PEM, but {why}",
        file.display()
    )
}

#[cfg(test)]
mod tests {
    use test_kit::Authority;

    use super::*;

    #[test]
    fn without_files_there_is_no_tls_and_one_alone_is_refused_with_the_other_ones_name() {
        assert!(ServerTls::read(None, None).unwrap().is_none());
        let file = Path::new("x.pem");
        let error = ServerTls::read(Some(file), None).unwrap_err();
        assert!(
            error.starts_with("TLS_CERT_FILE is set, but TLS_KEY_FILE is not"),
            "{error}"
        );
        let error = ServerTls::read(None, Some(file)).unwrap_err();
        assert!(
            error.starts_with("TLS_KEY_FILE is set, but TLS_CERT_FILE is not"),
            "{error}"
        );
    }

    #[test]
    fn a_pair_that_does_not_fit_is_refused_in_words() {
        let authority = Authority::new();
        let (one, other) = (authority.issue(), authority.issue());
        let read = |cert: &Path, key: &Path| ServerTls::read(Some(cert), Some(key));
        assert!(read(&one.cert_file, &one.key_file).unwrap().is_some());
        for (cert, key, words) in [
            (
                &one.cert_file,
                &other.key_file,
                "not the key of the certificate",
            ),
            (&one.key_file, &one.key_file, "TLS_CERT_FILE"),
            (&one.cert_file, &one.cert_file, "TLS_KEY_FILE"),
        ] {
            let error = read(cert, key).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let error = read(Path::new("/nowhere"), &one.key_file).unwrap_err();
        assert!(
            error.contains("TLS_CERT_FILE: /nowhere cannot be read"),
            "{error}"
        );
    }

    #[test]
    fn an_authoritys_file_must_hold_a_certificate() {
        let authority = Authority::new();
        assert_eq!(
            read_ca(&authority.ca_file(), "A_CA_FILE").unwrap(),
            authority.ca_pem()
        );
        let key_file = authority.issue().key_file;
        let error = read_ca(&key_file, "A_CA_FILE").unwrap_err();
        assert!(
            error.contains("A_CA_FILE") && error.contains("holds none"),
            "{error}"
        );
    }
}
