//! Health, reflection, deadlines, and the generated server as a client's transport.

use sql::Engine;
use std::{ffi::OsString, time::Duration};

use futures::stream;
use product_api::{GetProductRequest, product_service_client::ProductServiceClient};
use product_service::{config::Config, service::Service};
use service_kit::{
    auth::Access,
    config::{Loaded, load_with},
};
use sqlx::{Connection as _, PgConnection};
use test_kit::{Http, Postgres, eventually};
use tonic::{Code, Request};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::bed::{Bed, NOBODY};

const SERVICE: &str = "hotdeal.product.v1.ProductService";

async fn health_of(bed: &Bed, service: &str) -> Option<ServingStatus> {
    let mut health = HealthClient::new(bed.channel().await);
    let service = service.to_owned();
    let answer = health.check(HealthCheckRequest { service }).await;
    answer.ok().map(|answer| answer.into_inner().status())
}

#[tokio::test]
async fn the_service_reports_that_it_serves() {
    let bed = Bed::start().await;
    for service in ["", SERVICE] {
        eventually(Duration::from_secs(10), "it serves", async || {
            health_of(&bed, service).await == Some(ServingStatus::Serving)
        })
        .await;
    }
    let ops = Http::new(format!("http://{}", bed.addresses.ops));
    let (status, report, _) = ops.get("/health/ready", &[]).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["status"], "ok", "{report}");
}

#[tokio::test]
async fn without_its_database_it_neither_serves_nor_hides_it() {
    let server = Postgres::start_durable().await;
    let database = server.database().await;
    let bed = Bed::with(Engine::Postgres, &[("DATABASE_URL", &database.url)]).await;
    let id = bed.product(1, 500).await;
    server.kill9();
    eventually(Duration::from_secs(20), "it does not serve", async || {
        health_of(&bed, SERVICE).await == Some(ServingStatus::NotServing)
    })
    .await;
    let ops = Http::new(format!("http://{}", bed.addresses.ops));
    assert_eq!(ops.get("/health/ready", &[]).await.0, 503);
    let (status, problem, headers) = bed.http.get(&format!("/products/{id}"), &[]).await;
    assert_eq!(
        (status.as_u16(), problem["error"].as_str()),
        (503, Some("UNAVAILABLE"))
    );
    assert!(headers.contains_key("retry-after"));
    server.restart().await;
    eventually(Duration::from_secs(20), "it serves again", async || {
        bed.http.get(&format!("/products/{id}"), &[]).await.0 == 200
    })
    .await;
}

#[tokio::test]
async fn reflection_lists_the_service() {
    let bed = Bed::start().await;
    let mut client = ServerReflectionClient::new(bed.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answer = client.server_reflection_info(stream::iter([request])).await;
    let first = answer
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap()
        .unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = first.message_response else {
        panic!("{first:?}");
    };
    let names: Vec<String> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for name in [SERVICE, "grpc.health.v1.Health"] {
        assert!(names.iter().any(|listed| listed == name), "{names:?}");
    }
}

#[tokio::test]
async fn tools_that_ask_by_reflections_old_name_are_answered_too() {
    use tonic_reflection::pb::v1alpha::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let bed = Bed::start().await;
    let mut client = ServerReflectionClient::new(bed.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
    };
    let answer = client.server_reflection_info(stream::iter([request])).await;
    let mut answers = answer.unwrap().into_inner();
    let first = answers.message().await.unwrap().unwrap();
    assert!(
        matches!(
            first.message_response,
            Some(MessageResponse::FileDescriptorResponse(_))
        ),
        "{first:?}"
    );
}

/// An all-in-one process mounts the service like this.
#[tokio::test]
async fn the_generated_server_is_a_clients_transport_and_keeps_its_deadline() {
    let database = Postgres::shared().database().await;
    let service = Service::connect(&without_gate(&database.url))
        .await
        .unwrap();
    let mut client = ProductServiceClient::new(service.grpc(Access::Open));
    let request = || GetProductRequest {
        product_id: NOBODY.into(),
    };
    let unknown = client.get_product(request()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    // Whoever reads waits for this lock.
    let mut db = PgConnection::connect(&database.url).await.unwrap();
    let mut locked = db.begin().await.unwrap();
    sqlx::query("LOCK TABLE product.products IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *locked)
        .await
        .unwrap();
    let mut hurried = Request::new(request());
    hurried
        .metadata_mut()
        .insert("grpc-timeout", "100m".parse().unwrap());
    let late = client.get_product(hurried).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
}

fn without_gate(database_url: &str) -> Config {
    let look_up = |name: &str| match name {
        "DATABASE_URL" => Some(OsString::from(database_url)),
        "HOTDEAL_STOCK_REDIS" => Some("false".into()),
        _ => None,
    };
    match load_with("product-service", "", [OsString::from("x")], look_up).unwrap() {
        Loaded::Run(config) => config,
        Loaded::Done => panic!("nobody asked for a check"),
    }
}
