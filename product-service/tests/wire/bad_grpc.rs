//! gRPC requests that are not understood: the field named, nothing changed.

use bytes::BufMut as _;
use product_api::{
    ConfirmStockRequest, DecreaseStockRequest, GetDealRequest, GetProductRequest,
    RestoreStockRequest, StockItem,
};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

use crate::bed::{Bed, NOBODY, decrease, item, order_id, reason_of, violations_of};

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
            return_sold: false,
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

/// Messages as their bytes.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, _: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        Ok(Some(()))
    }
}

#[tokio::test]
async fn what_is_no_message_is_the_callers_fault() {
    let bed = Bed::start().await;
    let path = PathAndQuery::from_static("/hotdeal.product.v1.ProductService/DecreaseStock");
    let no_text = vec![0x0a, 2, 0xff, 0xfe];
    let cut_short = vec![0x0a, 36, b'0', b'1'];
    let endless_number = vec![0x80; 11];
    for message in [no_text, cut_short, endless_number] {
        let mut grpc = Grpc::new(bed.channel().await);
        grpc.ready().await.unwrap();
        let answer = grpc.unary(Request::new(message), path.clone(), Raw).await;
        assert_names(&answer.unwrap_err(), &[]);
    }
}

#[tokio::test]
async fn a_hundred_wrong_lines_are_still_an_answer() {
    let bed = Bed::start().await;
    let mut grpc = bed.grpc().await;
    let wrong = StockItem {
        product_id: "z".into(),
        quantity: 0,
        deal_id: Some("{}".into()),
    };
    let status = grpc
        .decrease_stock(decrease(1, vec![wrong; 100]))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let named = violations_of(&status);
    assert_eq!(
        (named.len(), named[0].as_str()),
        (20, "items[0].product_id")
    );
}

#[tokio::test]
async fn two_deals_for_one_product_are_named() {
    let bed = Bed::start().await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    let of = |deal| StockItem {
        deal_id: Some(order_id(deal)),
        ..item(&id, 1)
    };
    let request = decrease(1, vec![of(8), of(9)]);
    let status = grpc.decrease_stock(request).await.unwrap_err();
    assert_names(&status, &["items[0].deal_id", "items[1].deal_id"]);
}
