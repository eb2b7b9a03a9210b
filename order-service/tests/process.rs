//! order-service as a process: started, asked, told to stop, killed.

mod shop;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use product_api::product_service_server::ProductServiceServer;
use reqwest::Method;
use serde_json::Value;
use service_kit::{
    config::Common,
    server::{GrpcLimits, builder, serve_grpc},
};
use shop::{
    BUYER,
    events::{Events, ask},
    one_line,
    product::{Fault, Product},
};
use test_kit::{Http, Port, Postgres, Process, Program, eventually, scratch_directory};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const HEADERS: [(&str, &str); 1] = [("x-user-id", BUYER)];
const SOON: Duration = Duration::from_secs(10);

/// The double behind a real socket.
async fn listen(product: Product) -> (String, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (limits, stop) = (
        GrpcLimits::from(&Common::default()),
        CancellationToken::new(),
    );
    let router = builder(&limits).add_service(ProductServiceServer::new(product));
    tokio::spawn(serve_grpc(listener, router, limits, stop.clone()));
    (url, stop)
}

struct Running {
    process: Process,
    http: Http,
    ops: Http,
    _ports: [Port; 2],
}

async fn start(database_url: &str, product_url: &str) -> Running {
    let ports = [Port::free(), Port::free()];
    let program = Program::at(env!("CARGO_BIN_EXE_order-service"))
        .env("DATABASE_URL", database_url)
        .env("PRODUCT_GRPC_URL", product_url)
        .env("ORDER_HTTP_ADDR", ports[0].address().to_string())
        .env("ORDER_OPS_ADDR", ports[1].address().to_string());
    let process = Process::start(&program).await;
    let ops = Http::new(ports[1].http_url());
    process.wait_ready(&ops.url("/health/ready")).await;
    Running {
        process,
        http: Http::new(ports[0].http_url()),
        ops,
        _ports: ports,
    }
}

#[tokio::test]
async fn a_dead_product_service_beside_a_live_one_costs_no_order() {
    let url = Postgres::shared().database().await.url;
    let product = Product::default();
    let (live, stop) = listen(product.clone()).await;
    let dead = Port::free();
    let order = start(&url, &format!("{},{live}", dead.http_url())).await;
    let tea = product.add("tea", 5_000, 20);
    for _ in 0..10 {
        let (status, body, _) = order
            .http
            .post("/orders", &HEADERS, &one_line(tea, 1))
            .await;
        assert_eq!(status, 202, "{body}");
    }
    assert_eq!(product.left(tea), 10);
    let (_, health, _) = order.ops.get("/health/ready", &[]).await;
    assert_eq!(health["checks"]["database"]["status"], "ok");
    // With none left, orders can still be read.
    stop.cancel();
    eventually(SOON, "the service is degraded", async || {
        let (status, health, _) = order.ops.get("/health/ready", &[]).await;
        status == 200 && health["status"] == "degraded"
    })
    .await;
    let (status, list, _) = order.http.get("/orders", &HEADERS).await;
    assert_eq!((status.as_u16(), list["total"].as_i64()), (200, Some(10)));
    let id = list["items"][0]["id"].as_str().expect("an id");
    let url = order.http.url(&format!("/orders/{id}/events"));
    let _stream = Events::open(ask(url, BUYER, None)).await;
    let (_, metrics, _) = order.ops.get("/metrics", &[]).await;
    let metrics = metrics.as_str().expect("text");
    for name in [
        "orders_placed_total{outcome=\"accepted\"} 10",
        "order_streams 1",
        "order_insert_duration_seconds_bucket",
        "order_stock_call_duration_seconds_bucket",
        "batch_len_bucket{queue=\"order_insert\"",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_stop_lets_the_order_that_was_begun_be_answered() {
    let url = Postgres::shared().database().await.url;
    let product = Product::default();
    let (live, _stop) = listen(product.clone()).await;
    let order = start(&url, &live).await;
    let tea = product.add("tea", 5_000, 10);
    product.fail("decrease", Fault::Hang);
    let body = one_line(tea, 1);
    let placing = order.http.post("/orders", &HEADERS, &body);
    let stopping = async {
        eventually(SOON, "the call is under way", async || {
            !product.seen("decrease").is_empty()
        })
        .await;
        order.process.terminate();
    };
    let ((status, body, _), ()) = tokio::join!(placing, stopping);
    assert_eq!(status, 202, "{body}");
    assert!(order.process.wait(Duration::from_secs(15)).await.success());
}

#[tokio::test]
async fn an_accepted_order_outlives_the_process_that_accepted_it() {
    let url = Postgres::shared().database().await.url;
    let product = Product::default();
    let (live, _stop) = listen(product.clone()).await;
    let tea = product.add("tea", 5_000, 10);
    let first = start(&url, &live).await;
    let (status, placed, _) = first
        .http
        .post("/orders", &HEADERS, &one_line(tea, 1))
        .await;
    assert_eq!(status, 202, "{placed}");
    first.process.kill9();
    let second = start(&url, &live).await;
    let path = format!("/orders/{}", placed["id"].as_str().expect("an id"));
    let (_, read, _) = second.http.get(&path, &HEADERS).await;
    assert_eq!(read, placed);
}

/// A file of one's own.
fn file_url() -> String {
    let path = scratch_directory("order").join("order.db");
    format!("sqlite://{}", path.display())
}

/// Kills a process in the middle of taking a sale back, and lets another go on.
async fn killed_while_taking_a_sale_back(url: String, fault: Fault) {
    let product = Product::default();
    let (live, _stop) = listen(product.clone()).await;
    let tea = product.add("tea", 5_000, 10);
    let first = start(&url, &live).await;
    let (_, placed, _) = first
        .http
        .post("/orders", &HEADERS, &one_line(tea, 2))
        .await;
    let path = format!("/orders/{}", placed["id"].as_str().expect("an id"));
    let (status, ..) = first
        .http
        .post_empty(&format!("{path}/confirm"), &HEADERS)
        .await;
    assert_eq!(status, 200);
    product.fail("take_back", fault);
    let cancel = first.http.url(&format!("{path}/cancel"));
    let cancelling = tokio::spawn(async move {
        let client = reqwest::Client::new();
        client
            .post(cancel)
            .header(HEADERS[0].0, HEADERS[0].1)
            .send()
            .await
    });
    eventually(SOON, "the ledger is asked", async || {
        !product.seen("take_back").is_empty()
    })
    .await;
    first.process.kill9();
    assert!(cancelling.await.expect("it ran").is_err());
    let second = start(&url, &live).await;
    let (_, between, _) = second.http.get(&path, &HEADERS).await;
    assert!(
        between["status"] == "CANCELLED" || between["cancel_requested_at"].is_string(),
        "{between}"
    );
    eventually(SOON * 3, "the other process ends it", async || {
        let (_, order, _) = second.http.get(&path, &HEADERS).await;
        order["status"] == "CANCELLED" && order["reason"] == "CANCELLED_BY_USER"
    })
    .await;
    assert_eq!(product.left(tea), 10);
}

#[tokio::test]
async fn a_sale_whose_canceller_was_killed_before_the_ledger_was_told_is_taken_back() {
    let url = Postgres::shared().database().await.url;
    killed_while_taking_a_sale_back(url, Fault::Hang).await;
    killed_while_taking_a_sale_back(file_url(), Fault::Hang).await;
}

#[tokio::test]
async fn a_sale_whose_canceller_was_killed_after_its_units_were_back_is_cancelled() {
    let url = Postgres::shared().database().await.url;
    killed_while_taking_a_sale_back(url, Fault::HangAfter).await;
    killed_while_taking_a_sale_back(file_url(), Fault::HangAfter).await;
}

#[tokio::test]
async fn a_file_lives_through_kills_with_every_order_that_was_accepted() {
    let url = file_url();
    let product = Product::default();
    let (live, _stop) = listen(product.clone()).await;
    let tea = product.add("tea", 5_000, 100_000);
    let accepted = Arc::new(Mutex::new(Vec::<Value>::new()));
    for round in 1..=3 {
        let order = start(&url, &live).await;
        let wanted = accepted.lock().expect("whole").len() + 50;
        let buyers: Vec<_> = (0..16)
            .map(|_| {
                let (http, accepted) = (order.http.clone(), Arc::clone(&accepted));
                let body = one_line(tea, 1);
                tokio::spawn(async move {
                    // Until the process is gone.
                    let place = async || {
                        http.send(Method::POST, "/orders", &HEADERS, Some(&body))
                            .await
                    };
                    while let Ok((status, order, _)) = place().await {
                        assert_eq!(status, 202, "{order}");
                        accepted.lock().expect("whole").push(order);
                    }
                })
            })
            .collect();
        eventually(SOON * 3, "buyers are accepted", async || {
            accepted.lock().expect("whole").len() >= wanted
        })
        .await;
        order.process.kill9();
        for buyer in buyers {
            buyer.await.expect("a buyer");
        }
        let again = start(&url, &live).await;
        let placed = accepted.lock().expect("whole").clone();
        for order in &placed {
            let path = format!("/orders/{}", order["id"].as_str().expect("an id"));
            let (_, read, _) = again.http.get(&path, &HEADERS).await;
            assert_eq!(&read, order, "after kill {round}");
        }
        let (_, list, _) = again.http.get("/orders?status=PENDING", &HEADERS).await;
        assert!(list["total"].as_u64() >= Some(placed.len() as u64));
        again.process.terminate();
        assert!(again.process.wait(SOON).await.success());
    }
}

#[tokio::test]
async fn on_a_file_an_order_lives_as_on_a_server() {
    let product = Product::default();
    let (live, _stop) = listen(product.clone()).await;
    let tea = product.add("tea", 5_000, 100);
    let order = start(&file_url(), &live).await;
    let keyed = [HEADERS[0], ("idempotency-key", "once")];
    let body = one_line(tea, 2);
    let sent = (0..50).map(|_| order.http.post("/orders", &keyed, &body));
    let answers = join_all(sent).await;
    for (status, answer, _) in &answers {
        assert_eq!((status.as_u16(), answer), (202, &answers[0].1));
    }
    assert_eq!(product.left(tea), 98);
    let (status, problem, _) = order.http.post("/orders", &keyed, &one_line(tea, 3)).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (422, &"KEY_REUSED".into())
    );
    let path = format!("/orders/{}", answers[0].1["id"].as_str().expect("an id"));
    let events = ask(order.http.url(&format!("{path}/events")), BUYER, None);
    let mut events = Events::open(events).await;
    assert_eq!(events.order().await["status"], "PENDING");
    let confirm = format!("{path}/confirm");
    let (status, confirmed, _) = order.http.post_empty(&confirm, &HEADERS).await;
    assert_eq!((status.as_u16(), events.order().await), (200, confirmed));
    let cancel = format!("{path}/cancel");
    let (status, cancelled, _) = order.http.post_empty(&cancel, &HEADERS).await;
    assert_eq!(
        (status.as_u16(), &cancelled["status"]),
        (200, &"CANCELLED".into())
    );
    product.set_ttl(500_000);
    let (_, hasty, _) = order.http.post("/orders", &HEADERS, &body).await;
    eventually(SOON, "the other expires", async || {
        let (_, list, _) = order.http.get("/orders?status=CANCELLED", &HEADERS).await;
        list["items"][0]["id"] == hasty["id"] && list["total"] == 2
    })
    .await;
    assert_eq!(product.left(tea), 100);
}

#[tokio::test]
async fn a_setting_found_wrong_before_there_is_a_log_is_refused_in_words() {
    let program = Program::at(env!("CARGO_BIN_EXE_order-service"))
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .env("LOG", "[[[=");
    let process = Process::start(&program).await;
    assert!(!process.wait(SOON).await.success());
    let output = process.output();
    assert!(output.contains("LOG"), "{output}");
}

#[tokio::test]
async fn asked_to_stop_while_it_waits_for_its_database_it_ends_at_once() {
    let ports = [Port::free(), Port::free(), Port::free()];
    let database = format!("postgres://nobody@{}/none", ports[0].address());
    let program = Program::at(env!("CARGO_BIN_EXE_order-service"))
        .env("DATABASE_URL", database)
        .env("ORDER_HTTP_ADDR", ports[1].address().to_string())
        .env("ORDER_OPS_ADDR", ports[2].address().to_string());
    let process = Process::start(&program).await;
    eventually(SOON, "it waits for its database", async || {
        process.output().contains("does not answer yet")
    })
    .await;
    process.terminate();
    assert!(process.wait(SOON).await.success());
}
