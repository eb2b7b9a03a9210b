//! The program `local-shop`, as `make up-local` runs it.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use test_kit::{Http, Port, Process, Program, eventually, scratch_directory};

const BUYER: &str = "0192f0c1-7b5e-7000-8000-0000000000b1";
/// Everything is started, on a machine that may be busy.
const SOON: Duration = Duration::from_secs(120);

/// A shop in a directory of its own, on ports of its own.
struct Up {
    process: Process,
    http: Http,
    prometheus: Http,
}

fn program(directory: &Path, gateway: &Port, prometheus: &Port) -> Program {
    // Whoever has built the binaries says so to whoever would build them again.
    let trusts = std::env::vars_os().filter(|(name, _)| name == "TEST_KIT_TRUSTS_BINARIES");
    Program::at(env!("CARGO_BIN_EXE_local-shop"))
        .envs(trusts)
        .env("LOCAL_SHOP_DIR", directory)
        .env("GATEWAY_ADDR", gateway.address().to_string())
        .env("PROMETHEUS_ADDR", prometheus.address().to_string())
        // A token of the shell would lock the demo's own calls out.
        .env("ADMIN_TOKEN", "of the shell")
        .env("HOLD_TTL", "77s")
}

async fn start(directory: &Path, gateway: &Port, prometheus: &Port) -> Up {
    // Compiled here if need be, which may take longer than anything has to start.
    for name in ["product-service", "order-service"] {
        let _ = Program::of_workspace(name).await;
    }
    let process = Process::start(&program(directory, gateway, prometheus)).await;
    eventually(SOON, "everything runs", async || {
        assert!(process.exited().is_none(), "{}", process.output());
        process.output().contains("Everything runs")
    })
    .await;
    Up {
        process,
        http: Http::new(gateway.http_url()),
        prometheus: Http::new(prometheus.http_url()),
    }
}

impl Up {
    async fn order(&self) -> Value {
        let (_, page, _) = self.http.get("/products?size=1", &[]).await;
        let body = json!({"items": [{"product_id": page["items"][0]["id"], "quantity": 1}]});
        let buyer = ("x-user-id", BUYER);
        let (status, order, _) = self.http.post("/orders", &[buyer], &body).await;
        assert_eq!(status, 202, "{order}");
        order
    }

    async fn read(&self, order: &Value) -> Value {
        let path = format!(
            "/orders/{}",
            order["id"].as_str().expect("an order has an id")
        );
        self.http.get(&path, &[("x-user-id", BUYER)]).await.1
    }

    async fn end(self) {
        self.process.terminate();
        let status = self.process.wait(SOON).await;
        assert!(status.success(), "{}", self.process.output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_behind_a_gateway_sell_and_what_they_sold_is_there_after_a_restart() {
    let directory = scratch_directory("up");
    let (gateway, prometheus) = (Port::free(), Port::free());
    let up = start(&directory, &gateway, &prometheus).await;
    let output = up.process.output();
    for name in ["order-service", "product-service"] {
        let lines = output.lines().filter(|line| line.trim().starts_with(name));
        assert_eq!(lines.count(), 2, "two of {name}: {output}");
    }
    let order = up.order().await;
    let confirm = format!("/orders/{}/confirm", order["id"].as_str().unwrap());
    let (status, confirmed, _) = up.http.post_empty(&confirm, &[("x-user-id", BUYER)]).await;
    assert_eq!(
        (status.as_u16(), &confirmed["status"]),
        (200, &json!("CONFIRMED"))
    );
    eventually(SOON, "Prometheus has asked all four", async || {
        let (_, targets, _) = up.prometheus.get("/api/v1/targets", &[]).await;
        let targets = targets["data"]["activeTargets"].as_array().cloned();
        let up = |target: &Value| target["health"] == "up";
        targets.is_some_and(|targets| targets.len() == 4 && targets.iter().all(up))
    })
    .await;

    let second = Process::start(&program(&directory, &Port::free(), &Port::free())).await;
    assert!(!second.wait(SOON).await.success());
    assert!(
        second.output().contains("already runs"),
        "{}",
        second.output()
    );

    up.end().await;
    let up = start(&directory, &gateway, &prometheus).await;
    assert_eq!(up.read(&order).await["status"], "CONFIRMED");
    up.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_it_leaves_nothing_behind_that_listens() {
    let directory = scratch_directory("up");
    let (gateway, prometheus) = (Port::free(), Port::free());
    let up = start(&directory, &gateway, &prometheus).await;
    let order = up.order().await;
    up.process.kill9();
    eventually(SOON, "the ports are free", async || {
        Port::at(gateway.address()).is_ok() && Port::at(prometheus.address()).is_ok()
    })
    .await;
    let up = start(&directory, &gateway, &prometheus).await;
    assert_eq!(up.read(&order).await["status"], "PENDING");
    up.end().await;
}
