//! The document of the interface: it says all there is, and the shop does what it says.

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use crate::{
    shop::{Shop, text},
    tools,
};

const TOKEN: &str = "t0ken";
const BUYER: &str = "0192f0c1-7b5e-7000-8000-0000000000b1";
/// Every method that an operation may have.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Nobody waits longer for a tool that has stopped.
const PATIENCE: Duration = Duration::from_secs(500);

async fn start() -> Shop {
    Shop::start_with(&[("ADMIN_TOKEN", TOKEN)], &[]).await
}

async fn document(shop: &Shop) -> Value {
    let (status, document, _) = shop.http.get("/openapi.json", &[]).await;
    assert_eq!(status, 200, "{document}");
    document
}

/// Method, path and operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object();
    let paths = paths.into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let there = METHODS.iter().filter(|method| item[**method].is_object());
        there.map(|method| (method.to_uppercase(), path.clone(), item[*method].clone()))
    });
    operations.collect()
}

/// A path with an id that nothing has.
fn with_ids(path: &str) -> String {
    let part = |part: &str| match part.starts_with('{') {
        true => BUYER.to_owned(),
        false => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_document_and_its_page_need_nothing_but_the_shop() {
    let shop = start().await;
    let document = document(&shop).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let ids: BTreeSet<String> = operations(&document)
        .iter()
        .map(|(_, _, operation)| text(operation, "operationId"))
        .collect();
    assert_eq!(ids.len(), operations(&document).len(), "an id stands twice");
    let (status, page, headers) = shop.http.get("/docs/", &[]).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(status == 200 && policy.starts_with("default-src 'self'"));
    // What the page loads is ours, and there.
    let page = page.as_str().unwrap();
    let loaded = page
        .split(['"', '\''])
        .filter(|text| text.ends_with(".js") || text.ends_with(".css"));
    let mut count = 0;
    for file in loaded {
        let name = file.trim_start_matches("./");
        assert!(!name.contains('/'), "{file} comes from elsewhere");
        assert_eq!(
            shop.http.get(&format!("/docs/{name}"), &[]).await.0,
            200,
            "{file}"
        );
        count += 1;
    }
    assert!(count >= 3, "{page}");
    assert_eq!(shop.http.get("/docs/nothing.js", &[]).await.0, 404);
}

#[tokio::test]
async fn every_operation_says_how_it_ends_and_asks_for_what_it_says() {
    let shop = start().await;
    for (method, path, operation) in operations(&document(&shop).await) {
        let shown = format!("{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["description"].is_string(), "{shown} {status}");
        }
        assert!(operation["summary"].is_string(), "{shown}");
        let path = with_ids(&path);
        let asked = shop.http.send(method.parse().unwrap(), &path, &[], None);
        let (status, answer, headers) = asked.await.unwrap();
        // Whoever says nothing about himself is refused where the document says so, and only there.
        let is_secured = operation["security"].is_array();
        assert_eq!(status == 401, is_secured, "{shown}: {answer}");
        assert_eq!(
            headers.contains_key("www-authenticate"),
            is_secured,
            "{shown}"
        );
        assert!(
            is_secured || method == "GET",
            "{shown} changes something for anybody"
        );
        let said = &operation["responses"][status.as_str()];
        assert!(said.is_object(), "{shown}: {status}");
    }
}

#[tokio::test]
async fn a_method_that_the_document_does_not_have_is_not_there() {
    let shop = start().await;
    let document = document(&shop).await;
    let known = operations(&document);
    let known_caller = [("authorization", "Bearer t0ken"), ("x-user-id", BUYER)];
    for path in document["paths"].as_object().unwrap().keys() {
        for method in METHODS.map(str::to_uppercase) {
            if known.iter().any(|(m, p, _)| (m, p) == (&method, path)) {
                continue;
            }
            let asked = with_ids(path);
            let asked = shop
                .http
                .send(method.parse().unwrap(), &asked, &known_caller, None);
            let (status, answer, _) = asked.await.unwrap();
            assert_eq!(status, 405, "{method} {path}: {answer}");
        }
    }
}

/// Ids that are there, for `document_hooks.py`.
async fn known_ids(shop: &Shop) -> Value {
    let admin = [("authorization", "Bearer t0ken")];
    let add = async |name: &str| {
        let product = json!({"name": name, "price": 500, "stock": 100_000});
        let (status, product, _) = shop.http.post("/products", &admin, &product).await;
        assert_eq!(status, 201, "{product}");
        text(&product, "id")
    };
    let (shelf, hot) = (add("On the shelf").await, add("Hot").await);
    let start = format!("/products/{hot}/hotdeal/start");
    let (_, deal, _) = shop.http.post_empty(&start, &admin).await;
    let buyer = [("x-user-id", BUYER)];
    let order = async || {
        let wanted = json!({"items": [{"product_id": shelf, "quantity": 1}]});
        let (status, order, _) = shop.http.post("/orders", &buyer, &wanted).await;
        assert_eq!(status, 202, "{order}");
        text(&order, "id")
    };
    let (open, ended) = (order().await, order().await);
    let cancel = format!("/orders/{ended}/cancel");
    let (status, ..) = shop.http.post_empty(&cancel, &buyer).await;
    assert_eq!(status, 200);
    json!({
        "product_id": hot,
        "deal_id": text(&deal, "deal_id"),
        "id": open,
        // The stream of an open order stays open.
        "/orders/{id}/events id": ended,
    })
}

/// What must hold whatever is sent and whatever was sent before. Its other checks guess at rules that no
/// schema says: that a body which fits its schema is taken (an end is after its start, a change is not 0), or
/// that whatever is asked of a new product is there (it has no deal yet).
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,ignored_auth";

#[tokio::test]
async fn no_request_fails_us_or_is_answered_otherwise_than_the_document_says() {
    let shop = start().await;
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all");
    let run = Command::new(tools::cached("schemathesis/bin/st"))
        .args(["run", &shop.http.url("/openapi.json")])
        .args(["--checks", CHECKS])
        .args(["--max-examples", "15", "--seed", "20261121", "--no-color"])
        .args(["--generation-database", "none", "--request-timeout", "60"])
        .args(["-H", &format!("Authorization: Bearer {TOKEN}")])
        .args(["-H", &format!("X-User-ID: {BUYER}")])
        .env("KNOWN_IDS", known_ids(&shop).await.to_string())
        .env("PYTHONPATH", hooks)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "document_hooks")
        .current_dir(shop.directory.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = timeout(PATIENCE, run).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    let complained = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}\n{complained}");
    let count = operations(&document(&shop).await).len();
    assert!(said.contains(&format!("{count}/{count}")), "{said}");
}
