//! The program: settings it refuses, and how it stops.

use sql::Engine;
use std::time::Duration;

use test_kit::{Http, Port, Postgres, Process, Program};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::bed::{Bed, decrease, item};

fn program() -> Program {
    Program::at(env!("CARGO_BIN_EXE_product-service"))
}

#[tokio::test]
async fn beyond_loopback_it_does_not_start_without_its_tokens() {
    for (addr, token) in [
        ("PRODUCT_HTTP_ADDR", "ADMIN_TOKEN"),
        ("PRODUCT_GRPC_ADDR", "SERVICE_TOKEN"),
    ] {
        let program = program()
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .env("HOTDEAL_STOCK_REDIS", "false")
            .env(addr, "0.0.0.0:0");
        let process = Process::start(&program).await;
        let status = process.wait(Duration::from_secs(20)).await;
        assert!(!status.success());
        let output = process.output();
        assert!(
            output.contains(token) && output.contains("0.0.0.0:0"),
            "{output}"
        );
    }
}

#[tokio::test]
async fn a_gate_without_a_redis_is_refused_in_words() {
    let program = program().env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let process = Process::start(&program).await;
    assert!(!process.wait(Duration::from_secs(20)).await.success());
    let output = process.output();
    assert!(
        output.contains("REDIS_URL") && output.contains("HOTDEAL_STOCK_REDIS"),
        "{output}"
    );
}

#[tokio::test]
async fn asked_to_stop_it_ends_well() {
    let database = Postgres::shared().database().await;
    let (http, grpc, ops) = (Port::free(), Port::free(), Port::free());
    let program = program()
        .env("DATABASE_URL", &database.url)
        .env("HOTDEAL_STOCK_REDIS", "false")
        .env("PRODUCT_HTTP_ADDR", http.address().to_string())
        .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
        .env("PRODUCT_OPS_ADDR", ops.address().to_string());
    let process = Process::start(&program).await;
    process
        .wait_ready(&format!("{}/health/ready", ops.http_url()))
        .await;
    assert_eq!(
        Http::new(http.http_url()).get("/products", &[]).await.0,
        200
    );
    process.terminate();
    let status = process.wait(Duration::from_secs(20)).await;
    assert!(status.success(), "{status}: {}", process.output());
}

async fn what_was_answered_before_a_stop_is_there_after_it(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 2)]))
        .await
        .unwrap();
    let url = bed.url().to_owned();
    drop(grpc);
    bed.stop().await;
    let again = Bed::with(engine, &[("DATABASE_URL", &url)]).await;
    let shelf = again.get(&format!("/products/{id}/stock")).await["shelf"].clone();
    assert_eq!(
        (shelf["available"].as_i64(), shelf["held"].as_i64()),
        (Some(3), Some(2))
    );
}

#[tokio::test]
async fn silent_grpc_connections_beyond_the_open_files_leave_http_and_health_alone() {
    const FILES_MAX: usize = 256;
    let database = Postgres::shared().database().await;
    let (http, grpc, ops) = (Port::free(), Port::free(), Port::free());
    let program = Program::at("/bin/sh")
        .arg("-c")
        .arg(format!("ulimit -n {FILES_MAX} && exec \"$0\""))
        .arg(env!("CARGO_BIN_EXE_product-service"))
        .env("DATABASE_URL", &database.url)
        .env("HOTDEAL_STOCK_REDIS", "false")
        .env("PRODUCT_HTTP_ADDR", http.address().to_string())
        .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
        .env("PRODUCT_OPS_ADDR", ops.address().to_string());
    let process = Process::start(&program).await;
    let ready = format!("{}/health/ready", ops.http_url());
    process.wait_ready(&ready).await;
    let mut silent = Vec::new();
    for _ in 0..FILES_MAX + 50 {
        let mut stream = TcpStream::connect(grpc.address()).await.unwrap();
        stream.write_all(b"PRI * HT").await.unwrap();
        silent.push(stream);
    }
    for _ in 0..3 {
        // New clients, so that new connections are needed.
        let (http, ops) = (Http::new(http.http_url()), Http::new(ops.http_url()));
        assert_eq!(http.get("/products", &[]).await.0, 200);
        assert_eq!(ops.get("/health/ready", &[]).await.0, 200);
    }
    let output = process.output();
    assert!(output.contains("GRPC_CONNECTIONS_MAX"), "{output}");
}

test_kit::on_both_engines! {
    tokio::test: what_was_answered_before_a_stop_is_there_after_it;
}
