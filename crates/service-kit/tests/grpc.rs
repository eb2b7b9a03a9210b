//! The gRPC server over real sockets: it serves, sheds with a status, and drains in time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{io, net::SocketAddr, time::Duration};

use service_kit::{
    config::Common,
    server::{GrpcLimits, builder, serve_grpc},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use tonic_health::{
    ServingStatus,
    pb::{HealthCheckRequest, health_client::HealthClient},
};
use tonic_types::StatusExt as _;

struct App {
    client: HealthClient<Channel>,
    stop: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
}

fn limits() -> GrpcLimits {
    GrpcLimits::from(&Common::default())
}

async fn start(limits: GrpcLimits) -> App {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr: SocketAddr = listener.local_addr().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("shop", ServingStatus::Serving)
        .await;
    let stop = CancellationToken::new();
    let router = builder(&limits).add_service(health);
    let serving = tokio::spawn(serve_grpc(listener, router, limits, stop.clone()));
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    let client = HealthClient::new(endpoint.connect().await.unwrap());
    App {
        client,
        stop,
        serving,
    }
}

fn shop() -> HealthCheckRequest {
    HealthCheckRequest {
        service: "shop".to_owned(),
    }
}

#[tokio::test]
async fn a_call_is_answered_and_a_stop_ends_the_server() {
    let mut app = start(limits()).await;
    let answer = app.client.check(shop()).await.unwrap().into_inner();
    assert_eq!(answer.status, ServingStatus::Serving as i32);
    app.stop.cancel();
    app.serving.await.unwrap().unwrap();
    assert_eq!(
        app.client.check(shop()).await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_call_beyond_the_cap_gets_a_status_and_a_delay() {
    let mut app = start(GrpcLimits {
        in_flight_max: 0,
        ..limits()
    })
    .await;
    let status = app.client.check(shop()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_stop() {
    let mut app = start(GrpcLimits {
        drain_timeout: Duration::from_millis(50),
        ..limits()
    })
    .await;
    let mut stream = app.client.watch(shop()).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    app.stop.cancel();
    app.serving.await.unwrap().unwrap();
}
