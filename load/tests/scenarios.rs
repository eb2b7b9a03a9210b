//! Every script of `k6/`, short and small: it runs, what it claims of the shop is true, and it notices when not.

use std::time::Duration;

use load::k6::{self, Summary};
use local_shop::{Shop, ShopOptions};

const PATIENCE: Duration = Duration::from_secs(120);

/// Small figures, for all scripts alike. A machine that does something else meanwhile must not cross a threshold of
/// time, so there are few buyers.
const SMALL: [(&str, &str); 9] = [
    ("MAX_VUS", "5"),
    ("NUM_USERS", "20"),
    ("RAMP_DURATION", "500ms"),
    ("HOLD_DURATION", "1500ms"),
    ("DURATION", "3s"),
    ("RATE", "10"),
    ("REQUEST_TIMEOUT", "60s"),
    ("DEALS", "22"),
    ("PRODUCTS", "22"),
];

async fn start() -> Shop {
    Shop::start(ShopOptions {
        replicas: 2,
        has_gateway: true,
        ..ShopOptions::default()
    })
    .await
}

async fn run(shop: &Shop, name: &str, more: &[(&'static str, &str)]) -> Summary {
    let mut env = vec![
        ("BASE_URL", shop.front().url("")),
        ("PRODUCT_URL", shop.product[0].http.url("")),
    ];
    let given = SMALL.iter().chain(more);
    env.extend(given.map(|(name, value)| (*name, (*value).to_owned())));
    let ended = k6::start(name, env).await.end(PATIENCE).await;
    ended.unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_runs_and_finds_its_claims_true() {
    let shop = start().await;
    for name in k6::scripts() {
        let more: &[(&str, &str)] = match name.as_str() {
            "spike" => &[("STOCK", "7")],
            _ => &[],
        };
        let summary = run(&shop, &name, more).await;
        assert!(summary.is_kept, "{name}:\n{}", summary.output);
        let own = match name.as_str() {
            "deal-list" | "order-list" | "product-list" => "right_answers",
            _ => "truth",
        };
        let share = summary.figure(own, "value").unwrap();
        assert!((share - 1.0).abs() < f64::EPSILON, "{name}: {own} {share}");
        let checked = summary.figure(own, "passes").unwrap();
        assert!(
            checked > 0.0,
            "{name} has checked nothing:\n{}",
            summary.output
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_claimed_crosses_a_threshold() {
    let shop = start().await;
    // One unit for all of them.
    let deal = shop.start_deal(1).await;
    let product_id = [("PRODUCT_ID", deal.product_id.as_str())];
    let summary = run(&shop, "order-overload", &product_id).await;
    assert!(!summary.is_kept, "{}", summary.output);
    assert!(summary.figure("order_errors", "value").unwrap() > 0.5);
    shop.product[0].process.kill9();
    shop.product[1].process.kill9();
    let without_stock = k6::start("spike", vec![("BASE_URL", shop.front().url(""))]);
    let error = without_stock
        .await
        .end(PATIENCE)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("adding a product"), "{error}");
}
