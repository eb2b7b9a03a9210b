//! What a person reads when everything runs: where it is, and what to try.

use serde_json::{Value, json};
use service_kit::out;
use test_kit::Http;

use super::Config;
use crate::{Replica, Shop};

const BUYER: &str = "0198c0de-0000-7000-8000-000000000001";
const UNITS: u32 = 1_000;

/// Sees to a deal to buy from, and says where everything is.
pub(super) async fn say(shop: &Shop, config: &Config) {
    let deal = demo_deal(&shop.product[0].http).await;
    out::line(format!(
        "\nEverything runs; Ctrl-C ends it. Logs and data are in {}",
        config.data_dir.display()
    ));
    for line in places(shop) {
        out::line(line);
    }
    match deal {
        Ok(product_id) => out::line(to_try(shop, &product_id)),
        // Whoever wanted to look around still has a shop.
        Err(refusal) => out::line(format!("the demo deal does not start: {refusal}")),
    }
}

fn places(shop: &Shop) -> Vec<String> {
    let place = |name: &str, where_it_is: String| format!("  {name:17} {where_it_is}");
    let with_ops = |replica: &Replica| {
        format!(
            "http://{}  ops http://{} (health, metrics)",
            replica.http_address, replica.ops_address
        )
    };
    let mut lines = Vec::new();
    if let Some(gateway) = &shop.gateway {
        lines.push(place("gateway", format!("http://{}", gateway.address)));
    }
    for replica in &shop.order {
        lines.push(place("order-service", with_ops(replica)));
    }
    for (replica, grpc_url) in shop.product.iter().zip(&shop.grpc_urls) {
        lines.push(place(
            "product-service",
            format!("{}  gRPC {grpc_url}", with_ops(replica)),
        ));
    }
    if let Some(postgres) = &shop.postgres {
        let (url, directory) = (&shop.database.url, postgres.directory().display());
        lines.push(place("PostgreSQL", format!("{url}  in {directory}")));
    }
    if let Some(redis) = &shop.redis {
        lines.push(place("Redis", redis.url()));
    }
    if let Some(prometheus) = &shop.prometheus {
        lines.push(place(
            "Prometheus",
            format!("http://{}", prometheus.address),
        ));
    }
    lines
}

/// The product of a running deal: of the first product there is, or of a new one.
async fn demo_deal(product: &Http) -> Result<String, Value> {
    let (_, page, _) = product.get("/products?size=1", &[]).await;
    let id = match page["items"][0]["id"].as_str() {
        Some(id) => id.to_owned(),
        None => {
            let body = json!({"name": "Mechanical keyboard", "price": 89_000, "stock": UNITS});
            let (_, made, _) = product.post("/products", &[], &body).await;
            made["id"].as_str().ok_or_else(|| made.clone())?.to_owned()
        }
    };
    // Starting a deal that runs changes nothing; one that cannot start (no stock left) is no reason to end.
    let path = format!("/products/{id}/hotdeal/start");
    let (status, answer, _) = product.post(&path, &[], &json!({"quantity": UNITS})).await;
    match status.is_success() {
        true => Ok(id),
        false => Err(answer),
    }
}

fn to_try(shop: &Shop, product_id: &str) -> String {
    let (front, product) = (shop.front().url(""), shop.product[0].http.url(""));
    format!(
        "\n\
         Order a unit, confirm it, look at the live sum:\n  \
         ORDER=$(curl -s -X POST {front}/orders -H 'X-User-ID: {BUYER}' -H 'content-type: application/json' \
         -d '{{\"items\":[{{\"product_id\":\"{product_id}\",\"quantity\":1}}]}}' | tee /dev/stderr | jq -r .id)\n  \
         curl -s -X POST {front}/orders/$ORDER/confirm -H 'X-User-ID: {BUYER}'\n  \
         curl -s {product}/products/{product_id}/hotdeal"
    )
}
