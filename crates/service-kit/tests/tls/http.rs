//! The HTTP port.

use service_kit::{config::Common, telemetry};
use test_kit::{Authority, eventually};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::bed::{LONG, ask, connect, hung_up, stall, start_http};

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_answered() {
    let authority = Authority::new();
    let (addr, _running) = start_http(&authority.issue()).await;
    let stream = connect(addr, &authority.ca_file(), "http/1.1").await;
    let stream = stream.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let answer = ask(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_of_another_authority_and_one_that_knows_the_date_hang_up() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (addr, _running) = start_http(&authority.issue()).await;
    let error = connect(addr, &other.ca_file(), "http/1.1").await;
    let error = error.unwrap_err();
    assert!(error.contains("certificate"), "{error}");

    let (addr, _running) = start_http(&authority.issue_expired()).await;
    let error = connect(addr, &authority.ca_file(), "http/1.1").await;
    let error = error.unwrap_err();
    assert!(error.contains("expired"), "{error}");
}

#[tokio::test]
async fn a_client_that_speaks_another_protocol_is_refused_in_the_handshake() {
    let authority = Authority::new();
    let (addr, _running) = start_http(&authority.issue()).await;
    let error = connect(addr, &authority.ca_file(), "h2").await;
    assert!(error.is_err(), "{error:?}");
}

#[tokio::test]
async fn a_plain_client_gets_no_answer_of_ours_and_the_next_one_does() {
    let authority = Authority::new();
    let (addr, _running) = start_http(&authority.issue()).await;
    let mut plain = TcpStream::connect(addr).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    let said = hung_up(plain).await;
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    let stream = connect(addr, &authority.ca_file(), "http/1.1").await;
    assert!(ask(stream.unwrap()).await.ends_with("hello"));
}

#[tokio::test]
async fn a_handshake_that_stalls_holds_the_only_slot_just_until_its_time_is_over() {
    let authority = Authority::new();
    let (addr, _running) = start_http(&authority.issue()).await;
    for stalled in [stall(addr).await, TcpStream::connect(addr).await.unwrap()] {
        // The next one waits in the kernel's queue until then.
        let stream = connect(addr, &authority.ca_file(), "http/1.1").await;
        assert!(ask(stream.unwrap()).await.ends_with("hello"));
        hung_up(stalled).await;
    }
}

#[tokio::test]
async fn handshakes_that_come_to_nothing_are_counted() {
    let metrics = telemetry::init(&Common::default(), "test")
        .unwrap()
        .metrics();
    let authority = Authority::new();
    let (addr, _running) = start_http(&authority.issue()).await;
    hung_up(stall(addr).await).await;
    let mut plain = TcpStream::connect(addr).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    hung_up(plain).await;
    for outcome in ["unfinished", "failed"] {
        let counted = format!("tls_handshakes_failed_total{{outcome=\"{outcome}\"}}");
        eventually(LONG, outcome, || async {
            metrics.render().contains(&counted)
        })
        .await;
    }
}
