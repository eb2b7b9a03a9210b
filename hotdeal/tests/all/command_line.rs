//! Every command, as a person and as a program calls it.

use crate::shop::{SOON, Shop, cli, text};
use serde_json::Value;
use test_kit::{Authority, Port, eventually};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const BUYER: &str = "0198c0de-0000-7000-8000-000000000001";
const NOBODY: &str = "0192f0c1-7b5e-7000-8000-000000000001";

#[tokio::test]
async fn products_are_added_listed_and_shown() {
    let shop = Shop::start().await;
    let added = shop
        .json(&[
            "product",
            "add",
            "한정판 운동화",
            "--price",
            "129000",
            "--stock",
            "50",
            "--category",
            "shoes",
        ])
        .await;
    let id = text(&added, "id");
    assert_eq!(
        (&added["price"], &added["stock"]),
        (&129_000.into(), &50.into())
    );
    let listed = shop.json(&["product", "list", "--category", "shoes"]).await;
    assert_eq!(listed["items"][0]["id"], id);
    assert_eq!(
        shop.json(&["product", "list", "--category", "tea & co"])
            .await["total"],
        0
    );
    assert_eq!(
        shop.json(&["product", "show", &id]).await["name"],
        "한정판 운동화"
    );
    let stock = shop.json(&["product", "stock", &id, "--add", "-20"]).await;
    assert_eq!(stock["stock"], 30);
    for (args, words) in [
        (vec!["product", "list"], "한정판 운동화"),
        (vec!["product", "show", &id], "129,000"),
        (vec!["product", "stock", &id], "30"),
    ] {
        let ran = shop.cli(&args).await;
        assert!(
            ran.code == 0 && ran.stdout.contains(words),
            "{args:?}: {ran:?}"
        );
    }
}

#[tokio::test]
async fn a_deal_is_started_shown_watched_and_ended() {
    let shop = Shop::start().await;
    let product = shop.add_product(100).await;
    let started = shop
        .json(&[
            "deal",
            "start",
            &product,
            "--units",
            "80",
            "--price",
            "9000",
            "--per-buyer",
            "2",
        ])
        .await;
    assert_eq!(started["stock"], 80);
    let live = shop.json(&["deal", "show", &product]).await;
    assert_eq!(
        (&live["unit_price"], &live["per_user_limit"]),
        (&9_000.into(), &2.into())
    );
    let people = shop.cli(&["deal", "show", &product]).await;
    assert!(
        people.stdout.contains("available") && people.stdout.contains("9,000"),
        "{people:?}"
    );
    let again = shop.cli(&["deal", "start", &product]).await;
    assert!(
        again.code == 0 && again.stdout.contains("runs already"),
        "{again:?}"
    );
    let ended = shop.json(&["deal", "end", &product]).await;
    // What was left is back on the shelf.
    assert_eq!(ended["stock"], 100);
    let watched = shop
        .cli(&["deal", "watch", &product, "--every", "10ms"])
        .await;
    assert!(
        watched.code == 0 && watched.stdout.contains("ended"),
        "{watched:?}"
    );
}

#[tokio::test]
async fn a_running_deal_is_paused_resumed_and_restocked() {
    let shop = Shop::start().await;
    let product = shop.start_deal(10).await;
    assert_eq!(
        shop.json(&["deal", "pause", &product]).await["status"],
        "paused"
    );
    let ran = shop
        .cli(&["order", "place", &product, "--user", BUYER])
        .await;
    assert!(
        ran.code == 1 && ran.stderr.contains("DEAL_NOT_OPEN"),
        "{ran:?}"
    );
    assert_eq!(
        shop.json(&["deal", "resume", &product]).await["status"],
        "running"
    );
    assert_eq!(
        shop.json(&["deal", "restock", &product, "5"]).await["stock"],
        15
    );
    assert_eq!(
        shop.json(&["deal", "restock", &product, "-3"]).await["stock"],
        12
    );
    let ran = shop.cli(&["deal", "restock", &product, "1"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("added"), "{ran:?}");
    let live = shop.live(&product).await;
    assert_eq!(
        (&live["restocked"], &live["written_off"]),
        (&6.into(), &3.into())
    );
}

#[tokio::test]
async fn a_deal_is_planned_listed_and_cancelled() {
    let shop = Shop::start().await;
    let product = shop.add_product(10).await;
    let window = [
        "--starts-at",
        "2999-01-01T00:00:00Z",
        "--ends-at",
        "2999-01-01T01:00:00+09:00",
    ];
    let terms = [
        "deal", "create", &product, "--units", "10", "--price", "9000",
    ];
    let ran = shop.cli(&[&terms[..], &window].concat()).await;
    assert!(ran.code == 1 && ran.stderr.contains("ends_at"), "{ran:?}");
    let window = [
        "--starts-at",
        "2999-01-01T00:00:00Z",
        "--ends-at",
        "2999-01-01T01:00:00Z",
    ];
    let planned = shop.json(&[&terms[..], &window].concat()).await;
    let deal = text(&planned, "deal_id");
    let list = [
        "deal",
        "list",
        "--status",
        "scheduled",
        "--product",
        &product,
    ];
    assert_eq!(shop.json(&list).await["items"][0]["deal_id"], deal);
    let shown = shop.cli(&list).await;
    assert!(shown.code == 0 && shown.stdout.contains(&deal), "{shown:?}");
    assert_eq!(shop.cli(&["deal", "cancel", &deal]).await.code, 0);
    assert_eq!(shop.json(&list).await["total"], 0);
    let ran = shop.cli(&["deal", "list", "--status", "sideways"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("status"), "{ran:?}");
}

#[tokio::test]
async fn orders_are_placed_confirmed_and_cancelled_by_their_buyer() {
    let shop = Shop::start().await;
    let product = shop.start_deal(10).await;
    let two = format!("{product}=2");
    let placed = shop
        .json(&["order", "place", &two, "--user", BUYER, "--key", "k"])
        .await;
    let id = text(&placed, "id");
    let again = shop
        .json(&["order", "place", &two, "--user", BUYER, "--key", "k"])
        .await;
    assert_eq!(again["id"], id);
    let shown = shop.cli(&["order", "show", &id, "--user", BUYER]).await;
    assert!(
        shown.code == 0 && shown.stdout.contains("20,000"),
        "{shown:?}"
    );
    assert_eq!(
        shop.json(&["order", "list", "--status", "PENDING", "--user", BUYER])
            .await["total"],
        1
    );
    assert_eq!(
        shop.json(&["order", "confirm", &id, "--user", BUYER]).await["status"],
        "CONFIRMED"
    );
    let other = text(
        &shop
            .json(&["order", "place", &product, "--user", BUYER])
            .await,
        "id",
    );
    let cancelled = shop
        .json(&[
            "order",
            "cancel",
            &other,
            "--reason",
            "changed my mind",
            "--user",
            BUYER,
        ])
        .await;
    assert_eq!(cancelled["status"], "CANCELLED");
    assert_eq!(cancelled["cancel_reason"], "changed my mind");
    let live = shop.live(&product).await;
    assert_eq!((&live["sold"], &live["held"]), (&2.into(), &0.into()));
}

#[tokio::test]
async fn a_refusal_is_said_in_words_and_as_the_shops_own_json() {
    let shop = Shop::start().await;
    let product = shop.start_deal(1).await;
    let five = format!("{product}=5");
    let ran = shop.cli(&["order", "place", &five, "--user", BUYER]).await;
    assert!(
        ran.code == 1 && ran.stderr.contains("OUT_OF_STOCK"),
        "{ran:?}"
    );
    let ran = shop
        .cli(&["order", "place", &five, "--user", BUYER, "--json"])
        .await;
    let problem: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &problem["error"]), (1, &"OUT_OF_STOCK".into()));
    let ran = shop.cli(&["product", "show", NOBODY]).await;
    assert!(ran.code == 1 && ran.stderr.contains("NOT_FOUND"), "{ran:?}");
    let ran = shop
        .cli(&["product", "add", "x", "--price", "-1", "--stock", "1"])
        .await;
    assert!(ran.code == 2 || ran.stderr.contains("price:"), "{ran:?}");
}

#[tokio::test]
async fn operators_show_their_token() {
    let shop = Shop::start_with(&[("ADMIN_TOKEN", "s3cret")], &[]).await;
    let add = ["product", "add", "tea", "--price", "5", "--stock", "1"];
    let ran = shop.cli(&add).await;
    assert!(
        ran.code == 1 && ran.stderr.contains("ADMIN_TOKEN"),
        "{ran:?}"
    );
    let url = shop.http.url("");
    let ran = cli(&[("HOTDEAL_URL", &url), ("ADMIN_TOKEN", "s3cret")], &add).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_shop_behind_tls_must_show_a_certificate_of_somebody_trusted() {
    let authority = Authority::new();
    let own = authority.issue();
    let (cert, key) = (
        own.cert_file.to_str().unwrap(),
        own.key_file.to_str().unwrap(),
    );
    let shop = Shop::start_with(
        &[("TLS_CERT_FILE", cert), ("TLS_KEY_FILE", key)],
        &["--demo"],
    )
    .await;
    let url = shop
        .http
        .url("")
        .replace("http://127.0.0.1", "https://localhost");
    let ca = authority.ca_file();
    let trusting = [
        ("HOTDEAL_URL", url.as_str()),
        ("HOTDEAL_CA_FILE", ca.to_str().unwrap()),
    ];
    let list = ["product", "list", "--json"];
    eventually(SOON, "the demo's product is there", async || {
        let ran = cli(&trusting, &list).await;
        ran.code == 0 && ran.stdout.contains("demo")
    })
    .await;
    let ran = cli(&trusting, &["demo", "--buyers", "20"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let other = Authority::new().ca_file();
    let wrong = [trusting[0], ("HOTDEAL_CA_FILE", other.to_str().unwrap())];
    assert_eq!(cli(&wrong, &list).await.code, 3);
    assert_eq!(cli(&trusting[..1], &list).await.code, 3);
    let missing = [trusting[0], ("HOTDEAL_CA_FILE", "/none")];
    assert_eq!(cli(&missing, &list).await.code, 2);
}

#[tokio::test]
async fn wrong_usage_and_a_shop_that_is_away_have_codes_of_their_own() {
    let nobody = Port::free();
    let env = [("HOTDEAL_URL", nobody.http_url())];
    let env = env.each_ref().map(|(name, url)| (*name, url.as_str()));
    for args in [
        vec!["deal", "show", "7"],
        vec!["order", "list"],
        vec!["deal", "dance"],
        vec!["--json", "run"],
        vec!["deal", "list", "--url", "https//x"],
    ] {
        let ran = cli(&env, &args).await;
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
    }
    let ran = cli(&env, &["deal", "show", NOBODY]).await;
    assert!(
        ran.code == 3 && ran.stderr.contains("HOTDEAL_URL"),
        "{ran:?}"
    );
    let ran = cli(&env, &["demo"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
}

/// Answers one request on a port of its own with a service's words when it cannot do its work.
async fn unready() -> String {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback works");
    let url = format!("http://{}", listener.local_addr().expect("loopback works"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("loopback works");
        // Nothing may be answered before something was asked.
        let _ = stream.read(&mut [0; 1024]).await.expect("loopback works");
        let body = r#"{"status":"unavailable"}"#;
        let length = body.len();
        let answer = format!("HTTP/1.1 503 \r\ncontent-length: {length}\r\n\r\n{body}");
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("loopback works");
        // Until the client has hung up.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    url
}

#[tokio::test]
async fn health_tells_a_service_that_can_work_from_one_that_cannot_and_from_none() {
    let shop = Shop::start().await;
    let well = cli(&[], &["health", &shop.ops.url("")]).await;
    assert!(
        well.code == 0 && well.stdout.contains(r#""status":"ok""#),
        "{well:?}"
    );
    let ill = cli(&[], &["health", &unready().await]).await;
    assert!(
        ill.code == 4 && ill.stderr.contains("unavailable"),
        "{ill:?}"
    );
    let nobody = Port::free();
    let gone = cli(&[], &["health", &nobody.http_url()]).await;
    assert!(
        gone.code == 3 && gone.stderr.contains("ops port"),
        "{gone:?}"
    );
}

#[tokio::test]
async fn completions_know_the_commands_and_the_flags_of_the_shop() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = cli(&[], &["completions", shell]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        for word in ["restock", "hotdeal-data-dir", "product-http-addr"] {
            assert!(ran.stdout.contains(word), "{shell} has no {word}");
        }
    }
}

#[tokio::test]
async fn the_configuration_is_shown_with_secrets_masked_and_checked() {
    let ran = cli(&[("ADMIN_TOKEN", "hush")], &["config", "check"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "HOTDEAL_DATA_DIR",
        "HOLD_TTL",
        "ORDER_BATCH_MAX",
        "ADMIN_TOKEN",
    ] {
        assert!(
            ran.stdout.contains(line),
            "{line} is not in\n{}",
            ran.stdout
        );
    }
    assert!(!ran.stdout.contains("hush") && !ran.stdout.contains("PRODUCT_HTTP_ADDR"));
    let wrong = [("HOTDEAL_HTTP_ADDR", "0.0.0.0:1")];
    let ran = cli(&wrong, &["config", "check"]).await;
    assert!(
        ran.code == 2 && ran.stderr.contains("ADMIN_TOKEN"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn one_program_is_also_each_service() {
    for (service, variable) in [
        ("product-service", "PRODUCT_HTTP_ADDR"),
        ("order-service", "PRODUCT_GRPC_URL"),
    ] {
        let help = cli(&[], &[service, "--help"]).await;
        assert!(help.code == 0 && help.stdout.contains(variable), "{help:?}");
        let url = [
            ("DATABASE_URL", "postgres://u:pw@127.0.0.1:1/x"),
            ("HOTDEAL_STOCK_REDIS", "false"),
        ];
        let check = cli(&url, &[service, "config", "check"]).await;
        assert!(
            check.code == 0 && check.stdout.contains(variable),
            "{check:?}"
        );
    }
    let help = cli(&[], &["run", "--help"]).await;
    assert!(
        help.code == 0 && help.stdout.contains("start afresh"),
        "{help:?}"
    );
    let help = cli(&[], &["--help"]).await;
    assert!(
        help.code == 0 && help.stdout.contains("Exit codes"),
        "{help:?}"
    );
}
