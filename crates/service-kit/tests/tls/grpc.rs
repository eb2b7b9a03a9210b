//! The gRPC port.

use std::net::SocketAddr;

use test_kit::Authority;
use tokio::net::TcpStream;
use tonic::{
    Code, Status,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::bed::{connect, hung_up, stall, start_grpc};

/// One call over a connection of its own; `authority`: over TLS, trusting only it.
async fn call(addr: SocketAddr, authority: Option<&Authority>) -> Result<(), Status> {
    let scheme = if authority.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{addr}")).unwrap();
    if let Some(authority) = authority {
        let trusted = Certificate::from_pem(authority.ca_pem());
        let tls = ClientTlsConfig::new().ca_certificate(trusted);
        endpoint = endpoint.tls_config(tls).unwrap();
    }
    let mut client = HealthClient::new(endpoint.connect_lazy());
    let question = HealthCheckRequest {
        service: String::new(),
    };
    client.check(question).await.map(|_| ())
}

#[tokio::test]
async fn only_a_client_that_trusts_the_authority_is_answered() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (addr, _running) = start_grpc(&authority.issue()).await;
    call(addr, Some(&authority)).await.unwrap();
    let refused = call(addr, Some(&other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    let refused = call(addr, None).await.unwrap_err();
    assert_ne!(refused.code(), Code::Ok, "{refused}");
    call(addr, Some(&authority)).await.unwrap();

    let (addr, _running) = start_grpc(&authority.issue_expired()).await;
    let refused = call(addr, Some(&authority)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
}

#[tokio::test]
async fn a_handshake_that_stalls_holds_the_only_slot_just_until_its_time_is_over() {
    let authority = Authority::new();
    let (addr, _running) = start_grpc(&authority.issue()).await;
    for stalled in [stall(addr).await, TcpStream::connect(addr).await.unwrap()] {
        call(addr, Some(&authority)).await.unwrap();
        hung_up(stalled).await;
    }
    // One that opened TLS, and then says nothing inside it.
    let silent = connect(addr, &authority.ca_file(), "h2").await.unwrap();
    call(addr, Some(&authority)).await.unwrap();
    drop(silent);
}
