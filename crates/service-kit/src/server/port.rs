//! A port as it shows itself to the world: its listener, its certificate, and the pages that may read it.

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower_http::cors::CorsLayer;

use super::{accept::accept, stream::Stream};
use crate::{
    config::Common,
    cors::Cors,
    tls::{Protocol, ServerTls},
};

/// What the ports for clients have in common. Ports for operators, such as health and metrics, are plain.
#[derive(Debug, Clone, Default)]
pub struct Front {
    tls: Option<ServerTls>,
    cors: Cors,
}

impl Front {
    /// By `TLS_CERT_FILE`, `TLS_KEY_FILE` and `CORS_ORIGINS`.
    ///
    /// # Errors
    /// In words that name the variable concerned.
    pub fn new(common: &Common) -> Result<Self, String> {
        Ok(Self {
            tls: ServerTls::read(
                common.tls_cert_file.as_deref(),
                common.tls_key_file.as_deref(),
            )?,
            cors: Cors::new(&common.cors_origins)?,
        })
    }

    /// Whether clients have to speak TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// A port for HTTP.
    pub fn http(&self, listener: TcpListener) -> Port {
        Port {
            listener,
            tls: self.tls.as_ref().map(|tls| tls.acceptor(Protocol::Http1)),
            cors: self.cors.layer(),
        }
    }

    /// A port for gRPC, which pages cannot speak.
    pub fn grpc(&self, listener: TcpListener) -> Port {
        Port {
            listener,
            tls: self.tls.as_ref().map(|tls| tls.acceptor(Protocol::Http2)),
            cors: None,
        }
    }
}

/// A listener with all that it shows. A bare listener is a plain port that pages of other origins cannot
/// read.
pub struct Port {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    pub(super) cors: Option<CorsLayer>,
}

impl From<TcpListener> for Port {
    fn from(listener: TcpListener) -> Self {
        Self {
            listener,
            tls: None,
            cors: None,
        }
    }
}

impl Port {
    /// The next connection, before any handshake.
    pub(super) async fn accept(&self) -> Stream {
        self.open(accept(&self.listener).await)
    }

    fn open(&self, stream: TcpStream) -> Stream {
        Stream::new(stream, self.tls.as_ref())
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("listener", &self.listener)
            .field("is_tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}
