//! What buyers send and should not, who they are, and what they read.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod shop;

use futures::future::join_all;
use serde_json::{Value, json};
use shop::{BUYER, OTHER, Shop, one_line, product::Fault, product::bad_field};
use uuid::Uuid;

/// Error code and fields of a problem.
fn wrong(problem: &Value) -> (String, Vec<String>) {
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let field = |error: &Value| error["field"].as_str().unwrap().to_owned();
    let code = problem["error"].as_str().unwrap().to_owned();
    (code, errors.iter().map(field).collect())
}

#[tokio::test]
async fn bad_bodies_are_refused_with_the_field_named_and_take_nothing() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let quantities = [
        json!(0),
        json!(-1),
        json!(1u64 << 31),
        json!(1u64 << 63),
        json!("1"),
        json!(1.5),
        json!(null),
    ];
    let mut table: Vec<(Value, &str)> = quantities
        .map(|quantity| {
            let body = json!({"items": [{"product_id": tea, "quantity": quantity}]});
            (body, "items[0].quantity")
        })
        .into();
    let line = json!({"product_id": tea, "quantity": 1});
    let with = |name: &str, value: Value| {
        let mut body = one_line(tea, 1);
        body["items"][0][name] = value;
        body
    };
    let mut address = one_line(tea, 1);
    address["shipping_address"] = json!({"recipient_name": "x".repeat(1 << 17), "phone": "1", "address": "a", "postal_code": "1"});
    let mut total = one_line(tea, 1);
    total["total_amount"] = json!(1);
    table.extend([
        (json!({"items": vec![line; 101]}), "items"),
        (json!({"items": []}), "items"),
        (json!({}), "items"),
        (json!([]), "body"),
        (with("product_id", json!("tea\0")), "items[0].product_id"),
        (
            with("product_id", json!(format!("{{{tea}}}"))),
            "items[0].product_id",
        ),
        (with("deal_id", json!("x")), "items[0].deal_id"),
        (with("unit_price", json!(1)), "items[0].unit_price"),
        (with("subtotal", json!(1)), "items[0].subtotal"),
        (total, "total_amount"),
        (address, "shipping_address.recipient_name"),
    ]);
    for (body, field) in table {
        let (status, problem, headers) = shop.place(&body).await;
        assert_eq!(status, 422, "{body:.100} {problem}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(
            wrong(&problem),
            ("INVALID".to_owned(), vec![field.to_owned()])
        );
    }
    assert_eq!((shop.product.left(tea), shop.orders_len().await), (10, 0));
    assert!(shop.product.seen("decrease").is_empty());
}

#[tokio::test]
async fn what_is_no_json_is_refused_by_its_kind() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let body = one_line(tea, 1).to_string().into_bytes();
    assert_eq!(shop.raw("text/plain", body.clone()).await, 415);
    assert_eq!(shop.raw("application/json", b"{".to_vec()).await, 400);
    assert_eq!(shop.raw("application/json", Vec::new()).await, 400);
    assert_eq!(
        shop.raw("application/json", b"{\"items\":\"\xff\"}".to_vec())
            .await,
        400
    );
    assert_eq!(shop.raw("application/json", vec![b' '; 1 << 20]).await, 413);
    assert_eq!(shop.raw("application/json", body).await, 202);
}

#[tokio::test]
async fn a_key_is_visible_ascii() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    for key in ["", "a b", "\u{e9}", &"k".repeat(256)] {
        let (status, problem, _) = shop.place_keyed(BUYER, key, &one_line(tea, 1)).await;
        assert_eq!(status, 422, "{key:?}");
        assert_eq!(wrong(&problem).1, ["Idempotency-Key"]);
    }
    let twice = [
        ("x-user-id", BUYER),
        ("idempotency-key", "a"),
        ("idempotency-key", "b"),
    ];
    let (status, ..) = shop.http.post("/orders", &twice, &one_line(tea, 1)).await;
    assert_eq!(status, 422);
    let (status, problem, _) = shop.place_keyed(BUYER, "a b", &json!({})).await;
    assert_eq!(status, 422);
    assert_eq!(wrong(&problem).1, ["Idempotency-Key", "items"]);
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn a_buyer_is_named_by_one_uuid() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let body = one_line(tea, 1);
    let headers: [&[(&str, &str)]; 4] = [
        &[],
        &[("x-user-id", "me")],
        &[("x-user-id", "{0192f0c1-7b5e-7000-8000-0000000000b1}")],
        &[("x-user-id", BUYER), ("x-user-id", OTHER)],
    ];
    for headers in headers {
        let (status, problem, answered) = shop.http.post("/orders", headers, &body).await;
        assert_eq!(answered["content-type"], "application/problem+json");
        let challenge = answered["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("X-User-ID"), "{challenge}");
        assert_eq!(
            (status.as_u16(), &problem["error"]),
            (401, &json!("UNAUTHORIZED")),
            "{headers:?}"
        );
    }
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn beyond_loopback_the_buyers_header_is_not_believed_unless_told_so() {
    let open = ["--order-http-addr=0.0.0.0:8080"];
    let shop = Shop::open_with(&open).await;
    let (status, ..) = shop.get("/orders").await;
    assert_eq!(status, 401);
    let told = Shop::open_with(&[open[0], "--trust-user-header=true"]).await;
    let (status, ..) = told.get("/orders").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_unknown_product_is_named_by_its_line() {
    let shop = Shop::open().await;
    let (status, problem, _) = shop.place(&one_line(Uuid::from_u128(7), 1)).await;
    assert_eq!(status, 422);
    let fields = vec!["items[0].product_id".to_owned()];
    assert_eq!(wrong(&problem), ("PRODUCT_NOT_FOUND".to_owned(), fields));
}

#[tokio::test]
async fn what_product_service_finds_wrong_is_passed_on_with_its_field() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let status = bad_field("INVALID", "items[0].deal_id");
    shop.product.fail("decrease", Fault::Refuse(status));
    let (status, problem, _) = shop.place(&one_line(tea, 1)).await;
    assert_eq!(status, 422);
    assert_eq!(
        wrong(&problem),
        ("INVALID".to_owned(), vec!["items[0].deal_id".to_owned()])
    );
}

#[tokio::test]
async fn a_list_shows_the_buyers_own_orders_newest_first_in_pages() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 100);
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.placed(&one_line(tea, 1)).await);
    }
    shop.place_keyed(OTHER, "other", &one_line(tea, 1)).await;
    shop.post(&format!("/orders/{}/confirm", placed[4])).await;
    placed.reverse();
    let ids = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|order| order["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let (_, first, _) = shop.get("/orders?page=1&size=2").await;
    assert_eq!(ids(&first), placed[..2]);
    assert_eq!(
        (&first["total"], &first["page"], &first["size"]),
        (&json!(5), &json!(1), &json!(2))
    );
    let (_, last, _) = shop.get("/orders?page=3&size=2").await;
    assert_eq!(ids(&last), placed[4..]);
    let (_, confirmed, _) = shop.get("/orders?status=CONFIRMED").await;
    assert_eq!(
        (ids(&confirmed), &confirmed["total"]),
        (vec![placed[0].clone()], &json!(1))
    );
    let (_, all, _) = shop.get("/orders").await;
    assert_eq!(ids(&all), placed);
    shop.post(&format!("/orders/{}/cancel", placed[1])).await;
    let (_, ended, _) = shop.get("/orders?status=CANCELLED,CONFIRMED&size=1").await;
    assert_eq!(
        (ids(&ended), &ended["total"]),
        (placed[..1].to_vec(), &json!(2))
    );
    let (_, third, _) = shop.get(&format!("/orders/{}", placed[2])).await;
    let time = third["created_at"].as_str().unwrap();
    let (_, later, _) = shop.get(&format!("/orders?created_from={time}")).await;
    assert_eq!(ids(&later), placed[..3], "what was placed then is included");
    let (_, before, _) = shop.get(&format!("/orders?created_to={time}")).await;
    assert_eq!(ids(&before), placed[3..], "what was placed then is not");
    let both = format!("/orders?created_from={time}&status=PENDING&page=1&size=1");
    let (_, both, _) = shop.get(&both).await;
    assert_eq!(
        (ids(&both), &both["total"]),
        (vec![placed[2].clone()], &json!(1))
    );
}

#[tokio::test]
async fn bad_queries_and_ids_are_refused_with_the_field_named() {
    let shop = Shop::open().await;
    for (path, field) in [
        ("/orders?status=pending", "status"),
        ("/orders?status=", "status"),
        ("/orders?status=PENDING,,FAILED", "status"),
        ("/orders?created_from=today", "created_from"),
        ("/orders?created_to=1", "created_to"),
        (
            "/orders?created_from=2026-11-21T00:00:00Z&created_to=2026-11-20T00:00:00Z",
            "created_to",
        ),
        ("/orders?size=0", "size"),
        ("/orders?size=101", "size"),
        ("/orders?page=x", "page"),
        ("/orders/x", "id"),
    ] {
        let (status, problem, _) = shop.get(path).await;
        assert_eq!(status, 422, "{path}: {problem}");
        assert_eq!(
            wrong(&problem),
            ("INVALID".to_owned(), vec![field.to_owned()]),
            "{path}"
        );
    }
    let (status, ..) = shop.get(&format!("/orders/{}", Uuid::from_u128(9))).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_cancel_reason_is_limited() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let path = format!("/orders/{id}/cancel");
    for reason in [json!("x".repeat(201)), json!("a\0"), json!(5)] {
        let body = json!({"reason": reason});
        let (status, problem, _) = shop.http.post(&path, &[("x-user-id", BUYER)], &body).await;
        assert_eq!(status, 422);
        assert_eq!(wrong(&problem).1, ["reason"]);
    }
    let body = json!({"reason": "요".repeat(200)});
    let (status, ..) = shop.http.post(&path, &[("x-user-id", BUYER)], &body).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_index_lists_what_there_is() {
    let shop = Shop::open().await;
    let (status, index, _) = shop.http.get("/", &[]).await;
    assert_eq!(status, 200);
    assert_eq!(index["service"], "order-service");
    let is_ours = |path: &&Value| path["path"].as_str().unwrap().starts_with("/orders");
    for path in index["paths"].as_array().unwrap().iter().filter(is_ours) {
        assert!(path["what"].is_string(), "{path}");
        let route = path["path"].as_str().unwrap().replace("{id}", BUYER);
        let method = path["method"].as_str().unwrap().parse().unwrap();
        let (_, answer, _) = shop.http.send(method, &route, &[], None).await.unwrap();
        // What is missing is the buyer, not the route.
        assert_eq!(answer["error"], "UNAUTHORIZED", "{path}: {answer}");
    }
}

#[tokio::test]
async fn more_than_fits_is_refused_at_once_with_a_hint() {
    let shop = Shop::open_with(&["--http-in-flight-max=4"]).await;
    let tea = shop.product.add("tea", 5_000, 100);
    for _ in 0..4 {
        shop.product.fail("decrease", Fault::Hang);
    }
    let body = one_line(tea, 1);
    let answers = join_all((0..12).map(|_| shop.place(&body))).await;
    let shed: Vec<_> = answers
        .iter()
        .filter(|(status, ..)| *status == 503)
        .collect();
    assert!(!shed.is_empty());
    for (_, problem, headers) in shed {
        assert_eq!(problem["error"], "OVERLOADED");
        assert!(headers.contains_key("retry-after"));
    }
}
