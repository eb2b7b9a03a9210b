//! The gRPC methods that read and move stock.

use product_api::{
    CheckStockRequest, ConfirmStockRequest, DecreaseStockRequest, GetDealRequest,
    GetProductRequest, HoldEnded, RestoreStockRequest, StockItem, hold_ended::Outcome,
    product_service_client::ProductServiceClient,
};
use serde_json::json;
use sql::Engine;
use tonic::{Code, Status, transport::Channel};

use crate::bed::{Bed, NOBODY, decrease, item, order_id, reason_of, violations_of};

type Client = ProductServiceClient<Channel>;

async fn refused(grpc: &mut Client, request: DecreaseStockRequest) -> Status {
    grpc.decrease_stock(request).await.unwrap_err()
}

async fn confirm(grpc: &mut Client, order: u32) -> Result<HoldEnded, Status> {
    let order_id = order_id(order);
    let ended = grpc.confirm_stock(ConfirmStockRequest { order_id }).await;
    ended.map(tonic::Response::into_inner)
}

async fn restore(grpc: &mut Client, order: u32) -> Result<HoldEnded, Status> {
    end(grpc, order, false).await
}

async fn end(grpc: &mut Client, order: u32, return_sold: bool) -> Result<HoldEnded, Status> {
    let request = RestoreStockRequest {
        order_id: order_id(order),
        reason: "CANCELLED_BY_USER".into(),
        return_sold,
    };
    let ended = grpc.restore_stock(request).await;
    ended.map(tonic::Response::into_inner)
}

async fn a_hold_answers_names_and_prices_and_repeats_itself(engine: Engine) {
    let bed = Bed::on(engine).await;
    let (shelf, hot) = (bed.product(5, 500).await, bed.product(5, 800).await);
    let path = format!("/products/{hot}/hotdeal/start");
    let (_, deal, _) = bed.http.post(&path, &[], &json!({"deal_price": 300})).await;
    let mut grpc = bed.grpc().await;
    let request = decrease(1, vec![item(&shelf, 1), item(&hot, 2), item(&shelf, 1)]);
    let held = grpc
        .decrease_stock(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(!held.replayed && held.expires_at.is_some());
    let lines: Vec<_> = held
        .items
        .iter()
        .map(|line| {
            (
                line.product_id.clone(),
                line.quantity,
                line.unit_price,
                line.remaining,
            )
        })
        .collect();
    let mut expected = [
        (shelf.clone(), 2, 500, Some(3)),
        (hot.clone(), 2, 300, Some(3)),
    ];
    expected.sort();
    assert_eq!(lines, expected);
    assert!(held.items.iter().all(|line| line.product_name == "Lamp"));
    let line = held
        .items
        .iter()
        .find(|line| line.product_id == hot)
        .unwrap();
    assert_eq!(line.deal_id.as_deref(), deal["deal_id"].as_str());

    let again = grpc.decrease_stock(request).await.unwrap().into_inner();
    assert!(again.replayed);
    assert_eq!(again.expires_at, held.expires_at);
    assert_eq!(
        bed.get(&format!("/products/{shelf}/stock")).await["stock"],
        3
    );
    assert_eq!(bed.get(&format!("/products/{hot}/stock")).await["stock"], 3);
}

async fn a_second_confirm_and_a_late_restore_change_nothing(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 2)]))
        .await
        .unwrap();
    let sold = confirm(&mut grpc, 1).await.unwrap();
    assert_eq!((sold.outcome(), sold.reason.as_str()), (Outcome::Sold, ""));
    assert_eq!(confirm(&mut grpc, 1).await.unwrap(), sold);
    assert_eq!(restore(&mut grpc, 1).await.unwrap(), sold);
    let shelf = bed.get(&format!("/products/{id}/stock")).await["shelf"].clone();
    assert_eq!(
        (&shelf["sold"], &shelf["available"]),
        (&json!(2), &json!(3))
    );
}

async fn a_sale_that_is_taken_back_gives_its_units_back_once_and_says_so(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    let unknown = end(&mut grpc, 1, true).await.unwrap_err();
    assert_eq!(
        (unknown.code(), reason_of(&unknown)),
        (Code::NotFound, "NOT_FOUND".into())
    );
    let request = decrease(1, vec![item(&id, 2)]);
    grpc.decrease_stock(request).await.unwrap();
    confirm(&mut grpc, 1).await.unwrap();
    let returned = end(&mut grpc, 1, true).await.unwrap();
    assert_eq!(returned.outcome(), Outcome::Returned);
    assert_eq!(returned.reason, "CANCELLED_BY_USER");
    assert_eq!(end(&mut grpc, 1, true).await.unwrap(), returned);
    assert_eq!(restore(&mut grpc, 1).await.unwrap(), returned);
    let shelf = bed.get(&format!("/products/{id}/stock")).await["shelf"].clone();
    assert_eq!(
        (&shelf["sold"], &shelf["available"]),
        (&json!(0), &json!(5))
    );
    let late = confirm(&mut grpc, 1).await.unwrap_err();
    assert_eq!(reason_of(&late), "HOLD_ENDED");
    let again = refused(&mut grpc, decrease(1, vec![item(&id, 2)])).await;
    assert_eq!(reason_of(&again), "HOLD_ENDED");
}

async fn a_release_gives_the_units_back_and_ends_the_hold(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 2)]))
        .await
        .unwrap();
    let released = restore(&mut grpc, 1).await.unwrap();
    assert_eq!(released.outcome(), Outcome::Released);
    assert_eq!(released.reason, "CANCELLED_BY_USER");
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 5);
    let late = confirm(&mut grpc, 1).await.unwrap_err();
    assert_eq!(
        (late.code(), reason_of(&late)),
        (Code::FailedPrecondition, "HOLD_ENDED".into())
    );
    let again = refused(&mut grpc, decrease(1, vec![item(&id, 2)])).await;
    assert_eq!(reason_of(&again), "HOLD_ENDED");
}

async fn an_unknown_order_cannot_be_confirmed_and_once_restored_cannot_take(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    let unknown = confirm(&mut grpc, 1).await.unwrap_err();
    assert_eq!(
        (unknown.code(), reason_of(&unknown)),
        (Code::NotFound, "NOT_FOUND".into())
    );
    assert_eq!(
        restore(&mut grpc, 1).await.unwrap().outcome(),
        Outcome::Released
    );
    let late = refused(&mut grpc, decrease(1, vec![item(&id, 1)])).await;
    assert_eq!(reason_of(&late), "HOLD_ENDED");
}

async fn the_shop_says_no_with_a_reason_and_takes_nothing(engine: Engine) {
    let bed = Bed::on(engine).await;
    let (shelf, hot) = (bed.product(5, 500).await, bed.product(5, 500).await);
    let limited = json!({"quantity": 3, "per_user_limit": 2});
    let path = format!("/products/{hot}/hotdeal/start");
    bed.http.post(&path, &[], &limited).await;
    let mut grpc = bed.grpc().await;
    for (items, reason) in [
        (vec![item(&shelf, 6)], "OUT_OF_STOCK"),
        (vec![item(&shelf, 1), item(&hot, 4)], "OUT_OF_STOCK"),
        (vec![item(&shelf, 1), item(&hot, 3)], "PER_USER_LIMIT"),
    ] {
        let status = refused(&mut grpc, decrease(1, items)).await;
        assert_eq!(
            (status.code(), reason_of(&status)),
            (Code::FailedPrecondition, reason.into())
        );
    }
    assert_eq!(
        bed.get(&format!("/products/{shelf}/stock")).await["stock"],
        5
    );
    assert_eq!(bed.get(&format!("/products/{hot}/stock")).await["stock"], 3);
}

async fn an_order_id_stands_for_one_set_of_lines(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 1)]))
        .await
        .unwrap();
    let other = refused(&mut grpc, decrease(1, vec![item(&id, 2)])).await;
    assert_eq!(
        (other.code(), reason_of(&other)),
        (Code::AlreadyExists, "ORDER_ID_REUSED".into())
    );
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 4);
}

async fn lines_that_cannot_be_are_named_and_nothing_is_taken(engine: Engine) {
    let bed = Bed::on(engine).await;
    let (id, dear) = (
        bed.product(5, 500).await,
        bed.product(5, (1 << 53) - 1).await,
    );
    let other_deal = bed.deal(&bed.product(1, 1).await).await;
    let foreign = StockItem {
        deal_id: Some(other_deal),
        ..item(&id, 1)
    };
    let million = item(&id, 1_000_000);
    let mut grpc = bed.grpc().await;
    for (bad, reason, field) in [
        (item(NOBODY, 1), "PRODUCT_NOT_FOUND", "items[1].product_id"),
        (foreign, "INVALID", "items[1].deal_id"),
        (item(&dear, 2), "INVALID", "items[1].quantity"),
    ] {
        let status = refused(&mut grpc, decrease(1, vec![item(&id, 1), bad])).await;
        assert_eq!(
            (status.code(), reason_of(&status)),
            (Code::InvalidArgument, reason.into()),
            "{field}"
        );
        assert_eq!(violations_of(&status), [field]);
    }
    let sum = refused(&mut grpc, decrease(1, vec![million.clone(), million])).await;
    assert_eq!(
        violations_of(&sum),
        ["items[0].quantity", "items[1].quantity"]
    );
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 5);
}

async fn what_could_be_taken_is_told_without_taking_it(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    let mut check = async |items| {
        let answer = grpc.check_stock(CheckStockRequest { items }).await;
        answer.map(tonic::Response::into_inner)
    };
    let enough = check(vec![item(&id, 5)]).await.unwrap();
    assert!(enough.available && enough.items[0].available);
    assert_eq!(enough.items[0].stock, 5);
    // Lines of one product are summed, as an order's are.
    assert!(
        !check(vec![item(&id, 3), item(&id, 3)])
            .await
            .unwrap()
            .available
    );
    let unknown = check(vec![item(&id, 1), item(NOBODY, 1)])
        .await
        .unwrap_err();
    assert_eq!(violations_of(&unknown), ["items[1].product_id"]);
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 5);
}

async fn products_and_deals_are_read_as_they_are_now(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    let request = GetProductRequest {
        product_id: id.clone(),
    };
    let product = grpc
        .get_product(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (product.unit_price, product.stock, product.deal_id),
        (500, 5, None)
    );
    let path = format!("/products/{id}/hotdeal/start");
    let terms = json!({"quantity": 2, "deal_price": 300});
    bed.http.post(&path, &[], &terms).await;
    let product = grpc.get_product(request).await.unwrap().into_inner();
    assert_eq!((product.unit_price, product.stock), (300, 2));
    let deal_id = product.deal_id.unwrap();
    let deal = grpc
        .get_deal(GetDealRequest { deal_id })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((deal.product_id, deal.status.as_str()), (id, "running"));
    assert_eq!((deal.initial, deal.available, deal.unit_price), (2, 2, 300));
}

async fn unknown_products_and_deals_are_not_found(engine: Engine) {
    let bed = Bed::on(engine).await;
    let mut grpc = bed.grpc().await;
    let product_id = NOBODY.to_owned();
    let product = grpc.get_product(GetProductRequest { product_id }).await;
    let deal_id = NOBODY.to_owned();
    let deal = grpc.get_deal(GetDealRequest { deal_id }).await;
    for status in [product.unwrap_err(), deal.unwrap_err()] {
        assert_eq!(
            (status.code(), reason_of(&status)),
            (Code::NotFound, "NOT_FOUND".into())
        );
    }
}

test_kit::on_both_engines! {
    tokio::test: a_hold_answers_names_and_prices_and_repeats_itself,
        a_second_confirm_and_a_late_restore_change_nothing,
        a_sale_that_is_taken_back_gives_its_units_back_once_and_says_so,
        a_release_gives_the_units_back_and_ends_the_hold,
        an_unknown_order_cannot_be_confirmed_and_once_restored_cannot_take,
        the_shop_says_no_with_a_reason_and_takes_nothing,
        an_order_id_stands_for_one_set_of_lines,
        lines_that_cannot_be_are_named_and_nothing_is_taken,
        what_could_be_taken_is_told_without_taking_it,
        products_and_deals_are_read_as_they_are_now,
        unknown_products_and_deals_are_not_found;
}
