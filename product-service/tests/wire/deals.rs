//! Hot deals over HTTP.

use serde_json::{Value, json};
use sql::Engine;

use crate::bed::{Bed, NOBODY, decrease, fields_of, item};

async fn start(bed: &Bed, id: &str, terms: &Value) -> (u16, Value) {
    let path = format!("/products/{id}/hotdeal/start");
    let (status, body, _) = bed.http.post(&path, &[], terms).await;
    (status.as_u16(), body)
}

async fn end(bed: &Bed, id: &str) -> (u16, Value) {
    let path = format!("/products/{id}/hotdeal/end");
    let (status, body, _) = bed.http.post_empty(&path, &[]).await;
    (status.as_u16(), body)
}

async fn starting_a_running_deal_again_changes_nothing(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let (status, first) = start(&bed, &id, &json!({"quantity": 4, "per_user_limit": 2})).await;
    assert_eq!((status, &first["stock"]), (200, &json!(4)));
    let before = bed.get(&format!("/products/{id}/hotdeal")).await;
    let (status, again) = start(&bed, &id, &json!({"quantity": 5, "deal_price": 1})).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&again["deal_id"], &again["stock"]),
        (&first["deal_id"], &json!(4))
    );
    assert_ne!(again["message"], first["message"]);
    assert_eq!(bed.get(&format!("/products/{id}/hotdeal")).await, before);
}

async fn an_empty_body_starts_a_deal_of_all_units_with_or_without_a_content_type(engine: Engine) {
    let bed = Bed::on(engine).await;
    let typed: &[(&str, &str)] = &[("content-type", "application/json")];
    for headers in [&[], typed] {
        let id = bed.product(7, 500).await;
        let path = format!("/products/{id}/hotdeal/start");
        let (status, started, _) = bed.http.post_empty(&path, headers).await;
        assert_eq!(
            (status.as_u16(), &started["stock"]),
            (200, &json!(7)),
            "{started}"
        );
        let path = format!("/products/{id}/hotdeal/end");
        let (status, ended, _) = bed.http.post_empty(&path, headers).await;
        assert_eq!(
            (status.as_u16(), &ended["stock"]),
            (200, &json!(7)),
            "{ended}"
        );
    }
}

async fn ending_twice_answers_the_same(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let (_, started) = start(&bed, &id, &json!({"quantity": 4})).await;
    let mut grpc = bed.grpc().await;
    for order in [1, 2] {
        grpc.decrease_stock(decrease(order, vec![item(&id, 1)]))
            .await
            .unwrap();
    }
    let sold = product_api::ConfirmStockRequest {
        order_id: crate::bed::order_id(1),
    };
    grpc.confirm_stock(sold).await.unwrap();
    for _ in 0..2 {
        let (status, ended) = end(&bed, &id).await;
        assert_eq!(status, 200, "{ended}");
        assert_eq!(ended["deal_id"], started["deal_id"]);
        let figures = ["stock", "sold", "held"].map(|name| ended[name].as_i64().unwrap());
        assert_eq!(figures, [8, 1, 1]);
    }
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 8);
}

async fn the_live_sum_is_exact_and_the_gate_agrees(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let deal_id = bed.deal(&id).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 3)]))
        .await
        .unwrap();
    let live = bed.get(&format!("/products/{id}/hotdeal")).await;
    let figures = [
        "initial",
        "restocked",
        "available",
        "held",
        "sold",
        "written_off",
        "returned",
    ];
    let figures = figures.map(|name| live[name].as_i64().unwrap());
    assert_eq!(figures, [10, 0, 7, 3, 0, 0, 0]);
    assert_eq!(
        (&live["status"], &live["drift"]),
        (&json!("running"), &json!(0))
    );
    assert_eq!(
        (&live["gate"]["present"], &live["gate"]["quantity"]),
        (&json!(true), &json!(7))
    );
    let by_id = bed.get(&format!("/products/deals/{deal_id}")).await;
    assert!(by_id.get("gate").is_none());
    for name in [
        "deal_id",
        "product_id",
        "available",
        "held",
        "unit_price",
        "starts_at",
    ] {
        assert_eq!(by_id[name], live[name], "{name}");
    }
}

async fn without_a_gate_a_deal_runs_all_the_same(engine: Engine) {
    let bed = Bed::with(engine, &[("HOTDEAL_STOCK_REDIS", "false")]).await;
    let id = bed.product(1, 500).await;
    bed.deal(&id).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 1)]))
        .await
        .unwrap();
    let live = bed.get(&format!("/products/{id}/hotdeal")).await;
    assert_eq!((&live["available"], &live["held"]), (&json!(0), &json!(1)));
    assert_eq!(
        (live.get("gate"), live.get("drift")),
        (Some(&Value::Null), Some(&Value::Null)),
        "{live}"
    );
}

async fn a_deal_cannot_take_more_than_the_shelf_has(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(3, 500).await;
    let (status, problem) = start(&bed, &id, &json!({"quantity": 4})).await;
    assert_eq!((status, &problem["error"]), (409, &json!("OUT_OF_STOCK")));
    let stock = bed.get(&format!("/products/{id}/stock")).await;
    assert_eq!((&stock["stock"], stock.get("deal_id")), (&json!(3), None));
}

async fn a_deal_cannot_end_before_it_starts(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(3, 500).await;
    let (status, problem) = start(&bed, &id, &json!({"ends_at": "2001-01-01T00:00:00Z"})).await;
    assert_eq!(
        (status, fields_of(&problem)),
        (422, vec!["ends_at".to_owned()])
    );
}

async fn deals_of_unknown_products_and_deals_that_never_were_are_not_found(engine: Engine) {
    let bed = Bed::on(engine).await;
    assert_eq!(start(&bed, NOBODY, &json!({})).await.0, 404);
    assert_eq!(end(&bed, NOBODY).await.0, 404);
    let id = bed.product(3, 500).await;
    assert_eq!(end(&bed, &id).await.0, 404);
}

test_kit::on_both_engines! {
    tokio::test: starting_a_running_deal_again_changes_nothing,
        an_empty_body_starts_a_deal_of_all_units_with_or_without_a_content_type,
        ending_twice_answers_the_same,
        the_live_sum_is_exact_and_the_gate_agrees,
        without_a_gate_a_deal_runs_all_the_same,
        a_deal_cannot_take_more_than_the_shelf_has,
        a_deal_cannot_end_before_it_starts,
        deals_of_unknown_products_and_deals_that_never_were_are_not_found;
}
