//! The gRPC server and clients that do not behave, as bytes on a socket.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{net::SocketAddr, time::Duration};

use service_kit::{
    config::Common,
    server::{GrpcLimits, builder, serve_grpc},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// Longer than anything here takes, shorter than anybody's patience.
const LONG: Duration = Duration::from_secs(20);

async fn start(limits: GrpcLimits) -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (_, health) = tonic_health::server::health_reporter();
    let stop = CancellationToken::new();
    let router = builder(&limits).add_service(health);
    tokio::spawn(serve_grpc(listener, router, limits, stop.clone()));
    (addr, stop.drop_guard())
}

fn limits() -> GrpcLimits {
    GrpcLimits {
        handshake_timeout: Duration::from_millis(200),
        ..GrpcLimits::from(&Common::default())
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&len[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// The type of the next frame, and its payload.
async fn next_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(len).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    (head[3], payload)
}

async fn greet(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&SETTINGS).await.unwrap();
    stream
}

#[tokio::test]
async fn a_connection_that_never_opens_is_closed() {
    let (addr, _running) = start(limits()).await;
    for said in [&b""[..], b"PRI * HT"] {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut rest = Vec::new();
        // The server may say its settings first; then it hangs up, or resets.
        let _ = timeout(LONG, stream.read_to_end(&mut rest)).await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_opened_may_be_silent() {
    let (addr, _running) = start(limits()).await;
    let mut opened = greet(addr).await;
    let mut silent = TcpStream::connect(addr).await.unwrap();
    let _ = timeout(LONG, silent.read_to_end(&mut Vec::new()))
        .await
        .unwrap();
    opened.write_all(&frame(PING, 0, 0, &[7; 8])).await.unwrap();
    while next_frame(&mut opened).await != (PING, vec![7; 8]) {}
}

#[tokio::test]
async fn beyond_the_cap_a_connection_waits_until_another_is_gone() {
    let limits = GrpcLimits {
        connections_max: 1,
        handshake_timeout: LONG * 3,
        ..limits()
    };
    let (addr, _running) = start(limits).await;
    let mut first = greet(addr).await;
    next_frame(&mut first).await;
    let mut second = greet(addr).await;
    let unanswered = timeout(Duration::from_millis(100), next_frame(&mut second)).await;
    assert!(unanswered.is_err(), "it was accepted: {unanswered:?}");
    drop(first);
    timeout(LONG, next_frame(&mut second)).await.unwrap();
}

#[tokio::test]
async fn a_burst_of_calls_that_are_given_up_at_once_does_not_end_the_connection() {
    const CANCEL: [u8; 4] = [0, 0, 0, 8];
    let (addr, _running) = start(limits()).await;
    let mut stream = greet(addr).await;
    // POST, http, :path "/x" and :authority "a", as HPACK writes them.
    let call = [0x83, 0x86, 0x04, 2, b'/', b'x', 0x01, 1, b'a'];
    let mut burst = Vec::new();
    for index in 0..1500 {
        let id = 2 * index + 1;
        burst.extend(frame(1, 4, id, &call));
        burst.extend(frame(3, 0, id, &CANCEL));
    }
    burst.extend(frame(PING, 0, 0, &[7; 8]));
    stream.write_all(&burst).await.unwrap();
    loop {
        let (kind, payload) = timeout(LONG, next_frame(&mut stream)).await.unwrap();
        assert_ne!(kind, GOAWAY, "{}", String::from_utf8_lossy(&payload));
        if (kind, payload) == (PING, vec![7; 8]) {
            break;
        }
    }
}
