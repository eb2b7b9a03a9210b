//! Deals that are planned, listed and dropped over HTTP.

use sql::Engine;
use std::time::Duration;

use domain::{Clock as _, SystemClock};
use serde_json::{Value, json};
use test_kit::eventually;

use crate::bed::{Bed, NOBODY, decrease, fields_of, item, reason_of, text};

pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// So long from now, or ago.
pub(crate) fn from_now(after: Duration) -> String {
    SystemClock.now().plus(after).to_string()
}

pub(crate) fn ago(before: Duration) -> String {
    SystemClock.now().minus(before).to_string()
}

/// Terms of a deal of 4 units from in an hour for an hour.
pub(crate) fn terms(product_id: &str) -> Value {
    json!({"product_id": product_id, "deal_price": 300, "deal_stock": 4,
        "starts_at": from_now(HOUR), "ends_at": from_now(2 * HOUR)})
}

pub(crate) async fn plan(bed: &Bed, terms: &Value) -> Value {
    let (status, deal, headers) = bed.http.post("/products/deals", &[], terms).await;
    assert_eq!(status, 201, "{deal}");
    let id = text(&deal["deal_id"]);
    assert_eq!(headers["location"], format!("/products/deals/{id}"));
    deal
}

async fn cancel(bed: &Bed, deal_id: &str) -> (u16, Value) {
    let path = format!("/products/deals/{deal_id}");
    let answer = bed.http.send("DELETE".parse().unwrap(), &path, &[], None);
    let (status, body, _) = answer.await.unwrap();
    (status.as_u16(), body)
}

async fn deal(bed: &Bed, planned: &Value) -> Value {
    bed.get(&format!("/products/deals/{}", text(&planned["deal_id"])))
        .await
}

async fn until_it_is(bed: &Bed, planned: &Value, status: &str) -> Value {
    eventually(SOON, status, || async {
        let now = deal(bed, planned).await;
        (now["status"] == status).then_some(now)
    })
    .await
}

async fn a_scheduled_deal_leaves_its_product_on_the_shelf(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let mut asked = terms(&id);
    asked["per_user_limit"] = json!(2);
    let planned = plan(&bed, &asked).await;
    assert_eq!(planned, deal(&bed, &planned).await);
    assert_eq!(planned["status"], "scheduled");
    for (name, value) in [
        ("product_id", json!(id)),
        ("unit_price", json!(300)),
        ("planned", json!(4)),
        ("initial", json!(0)),
        ("per_user_limit", json!(2)),
        ("starts_at", asked["starts_at"].clone()),
        ("ends_at", asked["ends_at"].clone()),
    ] {
        assert_eq!(planned[name], value, "{name}");
    }
    let product = bed.get(&format!("/products/{id}")).await;
    assert_eq!((&product["stock"], product.get("deal")), (&json!(10), None));
    let mut grpc = bed.grpc().await;
    let held = grpc.decrease_stock(decrease(1, vec![item(&id, 1)])).await;
    let held = held.unwrap().into_inner().items.remove(0);
    assert_eq!((held.unit_price, held.deal_id), (500, None));
    // A product that never had an open deal has no live sum.
    let (status, _, _) = bed.http.get(&format!("/products/{id}/hotdeal"), &[]).await;
    assert_eq!(status, 404);
}

async fn a_deal_whose_time_has_come_starts_at_once_at_its_price_and_limit(engine: Engine) {
    for gate in ["true", "false"] {
        let bed = Bed::with(engine, &[("HOTDEAL_STOCK_REDIS", gate)]).await;
        let id = bed.product(10, 500).await;
        let mut asked = terms(&id);
        asked["starts_at"] = json!(ago(HOUR));
        asked["per_user_limit"] = json!(2);
        let started = plan(&bed, &asked).await;
        assert_eq!(
            (&started["status"], &started["available"]),
            (&json!("running"), &json!(4))
        );
        let stock = bed.get(&format!("/products/{id}/stock")).await;
        assert_eq!(
            (&stock["stock"], &stock["shelf"]["available"]),
            (&json!(4), &json!(6))
        );
        let mut grpc = bed.grpc().await;
        let held = grpc.decrease_stock(decrease(1, vec![item(&id, 2)])).await;
        let held = held.unwrap().into_inner().items.remove(0);
        assert_eq!(held.unit_price, 300);
        assert_eq!(held.deal_id, Some(text(&started["deal_id"])));
        let beyond = grpc.decrease_stock(decrease(2, vec![item(&id, 1)])).await;
        assert_eq!(reason_of(&beyond.unwrap_err()), "PER_USER_LIMIT");
    }
}

async fn a_deal_opens_and_ends_by_itself(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let mut asked = terms(&id);
    asked["starts_at"] = json!(from_now(Duration::from_millis(1_200)));
    asked["ends_at"] = json!(from_now(Duration::from_secs(10)));
    let planned = plan(&bed, &asked).await;
    let running = until_it_is(&bed, &planned, "running").await;
    assert_eq!(running["initial"], 4);
    let mut grpc = bed.grpc().await;
    let held = grpc.decrease_stock(decrease(1, vec![item(&id, 1)])).await;
    assert!(held.unwrap().into_inner().items[0].deal_id.is_some());
    let ended = until_it_is(&bed, &planned, "ended").await;
    let figures = ["available", "held", "returned"].map(|name| ended[name].as_i64().unwrap());
    assert_eq!(figures, [0, 1, 3]);
    assert!(text(&ended["ended_at"]) >= text(&ended["ends_at"]));
    let shelf = bed.get(&format!("/products/{id}/stock")).await;
    assert_eq!((&shelf["stock"], shelf.get("deal_id")), (&json!(9), None));
}

async fn a_deal_started_by_hand_ends_at_its_time(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let asked = json!({"ends_at": from_now(Duration::from_secs(2))});
    let path = format!("/products/{id}/hotdeal/start");
    let (status, started, _) = bed.http.post(&path, &[], &asked).await;
    assert_eq!(status, 200, "{started}");
    let (status, _, _) = bed
        .http
        .post_empty(&format!("/products/{id}/hotdeal/pause"), &[])
        .await;
    assert_eq!(status, 200);
    let ended = until_it_is(&bed, &started, "ended").await;
    assert_eq!(ended["returned"], 10);
}

async fn wrong_terms_of_a_deal_are_named_and_nothing_is_planned(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    for (field, value) in [
        ("product_id", json!("x")),
        ("product_id", Value::Null),
        ("deal_price", json!(-1)),
        ("deal_price", json!(1.5)),
        ("deal_stock", json!(0)),
        ("deal_stock", json!(-1)),
        ("deal_stock", json!(1_u64 << 63)),
        ("deal_stock", json!("1")),
        ("starts_at", json!("noon")),
        ("starts_at", Value::Null),
        ("ends_at", json!("2001-01-01T00:00:00Z")),
        ("ends_at", json!(7)),
        ("per_user_limit", json!(0)),
        ("per_user_limit", json!(1_u64 << 63)),
        ("status", json!("running")),
        ("deal_id", json!(NOBODY)),
        ("unit_price", json!(1)),
        ("planned", json!(1)),
        ("ended_at", Value::Null),
    ] {
        let mut body = terms(&id);
        body[field] = value.clone();
        let (status, problem, _) = bed.http.post("/products/deals", &[], &body).await;
        assert_eq!(status, 422, "{field} {value}: {problem}");
        assert_eq!(problem["error"], "INVALID", "{field} {value}");
        assert_eq!(fields_of(&problem), [field], "{field} {value}: {problem}");
    }
    for field in [
        "product_id",
        "deal_price",
        "deal_stock",
        "starts_at",
        "ends_at",
    ] {
        let mut body = terms(&id);
        body.as_object_mut().unwrap().remove(field);
        let (status, problem, _) = bed.http.post("/products/deals", &[], &body).await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec![field.to_owned()])
        );
    }
    let mut over = terms(&id);
    over["starts_at"] = json!("2001-01-01T00:00:00Z");
    over["ends_at"] = json!("2001-01-02T00:00:00Z");
    let (status, problem, _) = bed.http.post("/products/deals", &[], &over).await;
    assert_eq!(
        (status.as_u16(), fields_of(&problem)),
        (422, vec!["ends_at".to_owned()])
    );
    let (status, problem, _) = bed.http.post("/products/deals", &[], &terms(NOBODY)).await;
    assert_eq!(
        (status.as_u16(), &problem["error"], fields_of(&problem)),
        (
            422,
            &json!("PRODUCT_NOT_FOUND"),
            vec!["product_id".to_owned()]
        )
    );
    assert_eq!(bed.get("/products/deals").await["total"], 0);
}

async fn deals_of_one_product_do_not_overlap(engine: Engine) {
    let bed = Bed::on(engine).await;
    let (id, other) = (bed.product(10, 500).await, bed.product(10, 500).await);
    let first = plan(&bed, &terms(&id)).await;
    plan(&bed, &terms(&other)).await;
    let (status, problem, _) = bed.http.post("/products/deals", &[], &terms(&id)).await;
    assert_eq!(
        (status.as_u16(), &problem["error"], fields_of(&problem)),
        (422, &json!("INVALID"), vec!["starts_at".to_owned()])
    );
    let mut next = terms(&id);
    next["starts_at"] = first["ends_at"].clone();
    next["ends_at"] = json!(from_now(3 * HOUR));
    plan(&bed, &next).await;
    // One that runs without an end overlaps whatever comes.
    let endless = bed.product(10, 500).await;
    bed.deal(&endless).await;
    let (status, problem, _) = bed
        .http
        .post("/products/deals", &[], &terms(&endless))
        .await;
    assert_eq!(
        (status.as_u16(), fields_of(&problem)),
        (422, vec!["starts_at".to_owned()])
    );
}

async fn a_deal_that_has_not_opened_can_be_dropped(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let planned = plan(&bed, &terms(&id)).await;
    let deal_id = text(&planned["deal_id"]);
    for _ in 0..2 {
        assert_eq!(cancel(&bed, &deal_id).await.0, 204);
    }
    let dropped = deal(&bed, &planned).await;
    assert_eq!(
        (&dropped["status"], &dropped["initial"]),
        (&json!("ended"), &json!(0))
    );
    // Its time is free again.
    plan(&bed, &terms(&id)).await;
    let running = bed.deal(&id).await;
    let (status, problem) = cancel(&bed, &running).await;
    assert_eq!(
        (status, &problem["error"]),
        (409, &json!("ILLEGAL_TRANSITION"))
    );
    let path = format!("/products/{id}/hotdeal/end");
    bed.http.post_empty(&path, &[]).await;
    assert_eq!(cancel(&bed, &running).await.0, 409);
    assert_eq!(cancel(&bed, NOBODY).await.0, 404);
    assert_eq!(cancel(&bed, "x").await.0, 422);
}

async fn deals_are_listed_the_newest_first_by_status_and_product(engine: Engine) {
    let bed = Bed::on(engine).await;
    let (one, other) = (bed.product(10, 500).await, bed.product(10, 500).await);
    let running = bed.deal(&one).await;
    let planned = text(&plan(&bed, &terms(&other)).await["deal_id"]);
    let mut later = terms(&other);
    later["starts_at"] = json!(from_now(2 * HOUR));
    later["ends_at"] = json!(from_now(3 * HOUR));
    let dropped = text(&plan(&bed, &later).await["deal_id"]);
    assert_eq!(cancel(&bed, &dropped).await.0, 204);
    let listed = async |query: &str| {
        let page = bed.get(&format!("/products/deals{query}")).await;
        let items = page["items"].as_array().unwrap();
        let ids: Vec<String> = items.iter().map(|deal| text(&deal["deal_id"])).collect();
        (page["total"].as_i64().unwrap(), ids)
    };
    let all = [&dropped, &planned, &running].map(Clone::clone);
    assert_eq!(listed("").await, (3, all.to_vec()));
    assert_eq!(
        listed("?page=2&size=2").await,
        (3, vec![running.clone()]),
        "the second page"
    );
    for (status, deal) in [
        ("running", &running),
        ("scheduled", &planned),
        ("ended", &dropped),
    ] {
        let query = format!("?status={status}");
        assert_eq!(listed(&query).await, (1, vec![deal.clone()]), "{status}");
    }
    assert_eq!(
        listed(&format!("?product_id={other}")).await,
        (2, all[..2].to_vec())
    );
    assert_eq!(
        listed(&format!("?product_id={other}&status=paused")).await,
        (0, vec![])
    );
    let listed = bed.get("/products/deals?size=1").await;
    assert_eq!(
        (&listed["page"], &listed["size"]),
        (&json!(1), &json!(1)),
        "{listed}"
    );
}

async fn a_list_of_deals_that_is_not_understood_is_refused_with_its_field(engine: Engine) {
    let bed = Bed::on(engine).await;
    for (query, field) in [
        ("status=open", "status"),
        ("status=", "status"),
        ("product_id=x", "product_id"),
        ("page=0", "page"),
        ("size=101", "size"),
    ] {
        let path = format!("/products/deals?{query}");
        let (status, problem, _) = bed.http.get(&path, &[]).await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec![field.to_owned()]),
            "{query}: {problem}"
        );
    }
}

test_kit::on_both_engines! {
    tokio::test: a_scheduled_deal_leaves_its_product_on_the_shelf,
        a_deal_whose_time_has_come_starts_at_once_at_its_price_and_limit,
        a_deal_opens_and_ends_by_itself,
        a_deal_started_by_hand_ends_at_its_time,
        wrong_terms_of_a_deal_are_named_and_nothing_is_planned,
        deals_of_one_product_do_not_overlap,
        a_deal_that_has_not_opened_can_be_dropped,
        deals_are_listed_the_newest_first_by_status_and_product,
        a_list_of_deals_that_is_not_understood_is_refused_with_its_field;
}
