//! Stock over HTTP.

use serde_json::json;
use sql::Engine;

use crate::bed::{Bed, NOBODY};

async fn a_correction_moves_the_shelf_and_is_accounted_for(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let path = format!("/products/{id}/stock");
    for delta in [5, -3] {
        let (status, body, _) = bed.http.patch(&path, &[], &json!({"delta": delta})).await;
        assert_eq!(status, 200, "{body}");
    }
    let expected = json!({"product_id": id, "stock": 12, "shelf": {"initial": 10, "restocked": 5,
        "available": 12, "held": 0, "sold": 0, "written_off": 3, "returned": 0}});
    assert_eq!(bed.get(&path).await, expected);
}

async fn more_than_there_is_cannot_be_written_off(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(2, 500).await;
    let path = format!("/products/{id}/stock");
    let (status, problem, _) = bed.http.patch(&path, &[], &json!({"delta": -3})).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("OUT_OF_STOCK"))
    );
    assert_eq!(bed.get(&path).await["stock"], 2);
}

async fn the_stock_of_an_unknown_product_cannot_be_corrected(engine: Engine) {
    let bed = Bed::on(engine).await;
    let path = format!("/products/{NOBODY}/stock");
    let (status, problem, _) = bed.http.patch(&path, &[], &json!({"delta": 1})).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (404, &json!("NOT_FOUND"))
    );
}

async fn a_product_shows_its_deals_stock_while_one_runs(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let start = json!({"quantity": 4, "deal_price": 300});
    let path = format!("/products/{id}/hotdeal/start");
    let (_, started, _) = bed.http.post(&path, &[], &start).await;
    let stock = bed.get(&format!("/products/{id}/stock")).await;
    assert_eq!(
        (&stock["stock"], &stock["shelf"]["available"]),
        (&json!(4), &json!(6))
    );
    assert_eq!(stock["deal_id"], started["deal_id"]);
    let product = bed.get(&format!("/products/{id}")).await;
    assert_eq!(
        (&product["stock"], &product["price"]),
        (&json!(4), &json!(500))
    );
    assert_eq!(product["deal"]["deal_id"], started["deal_id"]);
    assert_eq!(product["deal"]["price"], 300);
    assert_eq!(product["deal"]["status"], "running");
}

test_kit::on_both_engines! {
    tokio::test: a_correction_moves_the_shelf_and_is_accounted_for,
        more_than_there_is_cannot_be_written_off,
        the_stock_of_an_unknown_product_cannot_be_corrected,
        a_product_shows_its_deals_stock_while_one_runs;
}
