//! Servers with certificates, and clients.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use service_kit::{
    config::Common,
    server::{Front, GrpcLimits, HttpLimits, builder, serve_grpc, serve_http},
};
use test_kit::Certificate;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than anything here takes, shorter than anybody's patience.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// How long the servers here wait for a client to begin.
const SHORT: Duration = Duration::from_secs(1);

pub(crate) fn front(certificate: &Certificate) -> Front {
    let common = Common {
        tls_cert_file: Some(certificate.cert_file.clone()),
        tls_key_file: Some(certificate.key_file.clone()),
        ..Common::default()
    };
    Front::new(&common).unwrap()
}

/// An HTTP server with one connection at a time that answers `/` with `hello`.
pub(crate) async fn start_http(certificate: &Certificate) -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let limits = HttpLimits {
        header_timeout: SHORT,
        connections_max: 1,
        ..HttpLimits::from(&Common::default())
    };
    let stop = CancellationToken::new();
    let router = Router::new().route("/", get(async || "hello"));
    let port = front(certificate).http(listener);
    tokio::spawn(serve_http(port, router, limits, stop.clone()));
    (addr, stop.drop_guard())
}

/// A gRPC server with one connection at a time that answers questions for its health.
pub(crate) async fn start_grpc(certificate: &Certificate) -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let limits = GrpcLimits {
        handshake_timeout: SHORT,
        connections_max: 1,
        ..GrpcLimits::from(&Common::default())
    };
    let (_, health) = tonic_health::server::health_reporter();
    let stop = CancellationToken::new();
    let router = builder(&limits).add_service(health);
    let port = front(certificate).grpc(listener);
    tokio::spawn(serve_grpc(port, router, limits, stop.clone()));
    (addr, stop.drop_guard())
}

/// A client that trusts the authority in `ca_file` and offers `protocol`.
pub(crate) async fn connect(
    addr: SocketAddr,
    ca_file: &Path,
    protocol: &str,
) -> Result<TlsStream<TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(ca_file).unwrap() {
        roots.add(authority.unwrap()).unwrap();
    }
    service_kit::tls::install_provider();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    let stream = TcpStream::connect(addr).await.unwrap();
    let name = ServerName::from(addr.ip());
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let connected = tokio::time::timeout(LONG, connecting).await.unwrap();
    connected.map_err(|error| error.to_string())
}

/// The answer to one request for `/`.
pub(crate) async fn ask(mut stream: TlsStream<TcpStream>) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::time::timeout(LONG, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

/// The first bytes of a client that then says nothing more: a record of a handshake, announced and not sent.
pub(crate) async fn stall(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    stream
}

/// Waits until the server has hung up, whatever it says before.
pub(crate) async fn hung_up(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    // A reset is a way to hang up too.
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut said))
        .await
        .unwrap();
    said
}
