//! The whole shop with nothing in the clear: Postgres, Redis, both services' ports, and the way between
//! them. Only the ops ports are plain.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};
use test_kit::{Authority, Port, PostgresServer, Process, Program, Redis};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

const LONG: Duration = Duration::from_secs(30);
const BUYER: &str = "0192f0c1-7b5e-7000-8000-0000000000b1";

/// One `POST` over TLS, by a client that trusts only the authority in `ca_file`.
async fn post(port: &Port, ca_file: &Path, path: &str, body: &Value) -> (u16, Value) {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca_file).unwrap())
        .unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let stream = TcpStream::connect(port.address()).await.unwrap();
    let name = ServerName::from(port.address().ip());
    let mut stream = connector.connect(name, stream).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nx-user-id: {BUYER}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(LONG, stream.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_order_is_placed_and_confirmed_with_tls_everywhere() {
    let authority = Authority::new();
    let (ca_file, certificate) = (authority.ca_file(), authority.issue());
    let shown = |path: &Path| path.display().to_string();
    let postgres = PostgresServer::start_with_tls(&certificate).await;
    let redis = Redis::with_tls(&certificate).await;
    let database_url = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        postgres.database().await.url,
        shown(&ca_file)
    );
    let [http, grpc, ops, order_http, order_ops] = std::array::from_fn(|_| Port::free());
    let common = |program: Program| {
        program
            .env("DATABASE_URL", &database_url)
            .env("TLS_CERT_FILE", shown(&certificate.cert_file))
            .env("TLS_KEY_FILE", shown(&certificate.key_file))
    };
    let product = common(Program::of_workspace("product-service").await)
        .env("REDIS_URL", redis.tls_url())
        .env("REDIS_CA_FILE", shown(&ca_file))
        .env("PRODUCT_HTTP_ADDR", http.address().to_string())
        .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
        .env("PRODUCT_OPS_ADDR", ops.address().to_string());
    let order = common(Program::of_workspace("order-service").await)
        .env("PRODUCT_GRPC_URL", format!("https://{}", grpc.address()))
        .env("PRODUCT_GRPC_CA_FILE", shown(&ca_file))
        .env("ORDER_HTTP_ADDR", order_http.address().to_string())
        .env("ORDER_OPS_ADDR", order_ops.address().to_string());
    let (product, order) = (Process::start(&product).await, Process::start(&order).await);
    for (process, ops) in [(&product, &ops), (&order, &order_ops)] {
        process
            .wait_ready(&format!("{}/health/ready", ops.http_url()))
            .await;
    }

    let lamp = json!({"name": "Lamp", "price": 500, "stock": 2});
    let (status, lamp) = post(&http, &ca_file, "/products", &lamp).await;
    assert_eq!(status, 201, "{lamp}");
    let id = lamp["id"].as_str().unwrap();
    let start = format!("/products/{id}/hotdeal/start");
    let (status, deal) = post(&http, &ca_file, &start, &json!({})).await;
    assert_eq!(status, 200, "{deal}");
    let wanted = json!({"items": [{"product_id": id, "quantity": 1}]});
    let (status, placed) = post(&order_http, &ca_file, "/orders", &wanted).await;
    assert_eq!(status, 202, "{placed}");
    let confirm = format!("/orders/{}/confirm", placed["id"].as_str().unwrap());
    let (status, confirmed) = post(&order_http, &ca_file, &confirm, &json!({})).await;
    assert_eq!((status, &confirmed["status"]), (200, &json!("CONFIRMED")));
    assert!(
        redis.command_calls("evalsha").await > 0,
        "the gate was asked"
    );
}
