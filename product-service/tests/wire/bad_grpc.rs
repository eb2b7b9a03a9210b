//! gRPC requests that are not understood: the field named, nothing changed.

use product_api::{
    ConfirmStockRequest, DecreaseStockRequest, GetDealRequest, GetProductRequest,
    RestoreStockRequest, StockItem,
};
use tonic::{Code, Status};

use crate::bed::{Bed, NOBODY, decrease, item, reason_of, violations_of};

const BAD_IDS: [&str; 4] = [
    "",
    "{0192f0c1-7b5e-7000-8000-000000000001}",
    "a\0b",
    "0192f0c17b5e70008000000000000001",
];

fn assert_names(status: &Status, fields: &[&str]) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert_eq!(reason_of(status), "INVALID");
    assert_eq!(violations_of(status), fields);
}

#[tokio::test]
async fn quantities_that_cannot_be_are_named_and_nothing_is_taken() {
    let bed = Bed::start().await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    for quantity in [0, -1, 1_000_001, 1 << 31, i64::MAX, i64::MIN] {
        let request = decrease(1, vec![item(&id, 1), item(&id, quantity)]);
        let status = grpc.decrease_stock(request).await.unwrap_err();
        assert_names(&status, &["items[1].quantity"]);
    }
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 5);
}

#[tokio::test]
async fn all_violations_are_named_at_once() {
    let bed = Bed::start().await;
    let mut grpc = bed.grpc().await;
    let request = DecreaseStockRequest {
        order_id: "x".into(),
        user_id: "y".into(),
        items: vec![StockItem {
            product_id: "z".into(),
            quantity: 0,
            deal_id: Some("{}".into()),
        }],
        hold_ttl: Some(prost_types::Duration {
            seconds: i64::MIN,
            nanos: i32::MIN,
        }),
        first_attempt: true,
    };
    let status = grpc.decrease_stock(request).await.unwrap_err();
    let expected = [
        "order_id",
        "user_id",
        "items[0].product_id",
        "items[0].quantity",
        "items[0].deal_id",
        "hold_ttl",
    ];
    assert_names(&status, &expected);
}

#[tokio::test]
async fn an_order_has_one_to_a_hundred_lines() {
    let bed = Bed::start().await;
    let id = bed.product(200, 500).await;
    let mut grpc = bed.grpc().await;
    for count in [0, 101] {
        let request = decrease(1, vec![item(&id, 1); count]);
        assert_names(&grpc.decrease_stock(request).await.unwrap_err(), &["items"]);
    }
    let request = decrease(1, vec![item(&id, 1); 100]);
    let held = grpc.decrease_stock(request).await.unwrap().into_inner();
    assert_eq!(held.items[0].quantity, 100);
}

#[tokio::test]
async fn ids_that_cannot_be_are_named_by_every_method() {
    let bed = Bed::start().await;
    let mut grpc = bed.grpc().await;
    for bad in BAD_IDS {
        let id = || bad.to_owned();
        let got = grpc
            .get_product(GetProductRequest { product_id: id() })
            .await;
        assert_names(&got.unwrap_err(), &["product_id"]);
        let got = grpc.get_deal(GetDealRequest { deal_id: id() }).await;
        assert_names(&got.unwrap_err(), &["deal_id"]);
        let ended = grpc
            .confirm_stock(ConfirmStockRequest { order_id: id() })
            .await;
        assert_names(&ended.unwrap_err(), &["order_id"]);
        let request = RestoreStockRequest {
            order_id: id(),
            reason: "no reason".into(),
        };
        let ended = grpc.restore_stock(request).await;
        assert_names(&ended.unwrap_err(), &["order_id", "reason"]);
    }
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let bed = Bed::start().await;
    let mut grpc = bed.grpc().await;
    let mut request = decrease(1, vec![item(NOBODY, 1)]);
    request.user_id = "x".repeat(1 << 20);
    let status = grpc.decrease_stock(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
}
