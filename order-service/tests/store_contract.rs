//! What any store of orders must do, on the real engine.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use domain::{Clock as _, Money, OrderId, ProductId, Quantity, SystemClock, Timestamp, UserId};
use order_service::{
    order::{Fingerprint, Flow, Line, Order, Reason, ShippingAddress, State, id},
    store::{
        MIGRATIONS, SCHEMA, Store,
        insert::{Inserted, NewEvent, NewOrder},
    },
};
use serde_json::value::RawValue;
use test_kit::Postgres;
use uuid::Uuid;

const USER: UserId = UserId(Uuid::from_u128(1));
const HOUR: Duration = Duration::from_secs(3600);

async fn open() -> (Store, sqlx::PgPool) {
    let url = Postgres::shared().database().await.url;
    sql::migrate(&url, SCHEMA, &MIGRATIONS).await.unwrap();
    let database = sql::connect(sql::PoolOptions::new(&url, SCHEMA))
        .await
        .unwrap();
    let pool = database.postgres().unwrap().clone();
    (Store::new(pool.clone()), pool)
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn new_order(number: u128) -> NewOrder {
    let id = OrderId(Uuid::from_u128(number));
    let product_id = ProductId(Uuid::from_u128(0xaa));
    let price = Money::try_from(5_000).unwrap();
    let line = Line {
        id: id::line(id, product_id),
        product_id,
        product_name: "차 \"tea\" \\ '; DROP TABLE orders".to_owned(),
        quantity: Quantity::try_from(2).unwrap(),
        unit_price: price,
        subtotal: Money::try_from(10_000).unwrap(),
        deal_id: None,
    };
    NewOrder {
        id,
        user_id: USER,
        flow: Flow::Hold,
        lines: vec![line],
        total: Money::try_from(10_000).unwrap(),
        shipping_address: None,
        fingerprint: None,
        expires_at: now().plus(HOUR),
        events: Vec::new(),
    }
}

fn with_event(number: u128) -> NewOrder {
    let event = NewEvent {
        id: Uuid::from_u128(number + 0x1000),
        kind: "OrderPlaced",
        payload: RawValue::from_string(format!("{{\"number\":{number}}}")).unwrap(),
    };
    NewOrder {
        events: vec![event],
        ..new_order(number)
    }
}

async fn insert(store: &Store, orders: &[NewOrder]) -> Vec<Inserted> {
    store
        .insert(&orders.iter().collect::<Vec<_>>())
        .await
        .unwrap()
}

async fn inserted(store: &Store, order: NewOrder) -> Order {
    match insert(store, &[order]).await.remove(0) {
        Inserted::New(order) => order,
        other => panic!("{other:?}"),
    }
}

async fn outbox_len(pool: &sqlx::PgPool) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM outbox");
    count.fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn what_is_inserted_is_read_back_unchanged() {
    let (store, _) = open().await;
    let full = NewOrder {
        fingerprint: Some(Fingerprint([7; 32])),
        shipping_address: Some(ShippingAddress {
            recipient_name: "김하나".into(),
            phone: "010".into(),
            address: "서울".into(),
            address_detail: Some(String::new()),
            postal_code: "04524".into(),
        }),
        ..new_order(1)
    };
    for new in [full, new_order(2)] {
        let order = inserted(&store, new).await;
        let (read, read_at) = store.find(order.id).await.unwrap().unwrap();
        assert_eq!(read, order);
        assert!(read_at >= order.created_at);
        assert_eq!(order.updated_at, order.created_at);
    }
    assert!(
        store
            .find(OrderId(Uuid::from_u128(3)))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn an_id_is_inserted_once_and_then_answered_as_it_stands() {
    let (store, _) = open().await;
    let order = inserted(&store, new_order(1)).await;
    let other = NewOrder {
        user_id: UserId(Uuid::from_u128(99)),
        ..new_order(1)
    };
    let outcomes = insert(&store, &[new_order(2), other, new_order(2)]).await;
    assert!(matches!(&outcomes[0], Inserted::New(new) if new.id.0 == Uuid::from_u128(2)));
    assert_eq!(outcomes[1], Inserted::Existing(order));
    assert!(matches!(&outcomes[2], Inserted::Existing(same) if same.id.0 == Uuid::from_u128(2)));
}

#[tokio::test]
async fn nothing_is_inserted_after_its_deadline_while_its_neighbours_are() {
    let (store, pool) = open().await;
    let late = NewOrder {
        expires_at: now().minus(Duration::from_millis(1)),
        ..with_event(1)
    };
    let outcomes = insert(&store, &[late, with_event(2)]).await;
    assert_eq!(outcomes[0], Inserted::TooLate);
    assert!(matches!(outcomes[1], Inserted::New(_)));
    assert!(
        store
            .find(OrderId(Uuid::from_u128(1)))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(outbox_len(&pool).await, 1);
}

#[tokio::test]
async fn an_order_and_its_events_commit_together_and_once() {
    let (store, pool) = open().await;
    insert(&store, &[with_event(1), with_event(2), new_order(3)]).await;
    assert_eq!(outbox_len(&pool).await, 2);
    // A repeated order brings no second event, even under a new event id.
    let mut again = with_event(1);
    again.events[0].id = Uuid::from_u128(0x9999);
    insert(&store, &[again]).await;
    assert_eq!(outbox_len(&pool).await, 2);
    // An event that cannot be stored takes its order with it, and the whole statement.
    let mut clash = with_event(4);
    clash.events[0].id = Uuid::from_u128(1 + 0x1000);
    assert!(store.insert(&[&clash, &new_order(5)]).await.is_err());
    for number in [4, 5] {
        assert!(
            store
                .find(OrderId(Uuid::from_u128(number)))
                .await
                .unwrap()
                .is_none()
        );
    }
}

/// The order as it is after a move to `state`.
fn moved(order: &Order, state: State) -> Order {
    Order {
        state,
        updated_at: order.updated_at.plus(Duration::from_millis(1)),
        version: order.version + 1,
        ..order.clone()
    }
}

fn confirmed() -> State {
    State::Confirmed { at: now() }
}

fn cancelling(note: Option<&str>) -> State {
    State::Cancelling {
        confirmed_at: now(),
        at: now(),
        reason: Reason::CANCELLED_BY_USER,
        note: note.map(str::to_owned),
    }
}

fn cancelled(note: Option<&str>, confirmed_at: Option<Timestamp>) -> State {
    State::Cancelled {
        at: now(),
        reason: Reason::CANCELLED_BY_USER,
        note: note.map(str::to_owned),
        confirmed_at,
    }
}

#[tokio::test]
async fn an_update_wins_only_over_the_state_it_was_decided_on() {
    let (store, _) = open().await;
    let order = inserted(&store, new_order(1)).await;
    let sold = moved(&order, confirmed());
    let given_up = moved(&order, cancelled(Some("아니요"), None));
    assert!(store.update(&order, &sold).await.unwrap());
    assert!(!store.update(&order, &given_up).await.unwrap());
    assert_eq!(store.find(order.id).await.unwrap().unwrap().0, sold);
    let second = inserted(&store, new_order(2)).await;
    let given_up = moved(&second, cancelled(Some("아니요"), None));
    assert!(store.update(&second, &given_up).await.unwrap());
    assert_eq!(store.find(second.id).await.unwrap().unwrap().0, given_up);
}

#[tokio::test]
async fn every_state_is_read_back_as_it_was_stored() {
    let (store, _) = open().await;
    let mut order = inserted(&store, new_order(1)).await;
    for state in [
        confirmed(),
        cancelling(Some("words")),
        confirmed(),
        cancelling(None),
        cancelled(Some("words"), Some(now())),
    ] {
        let next = moved(&order, state);
        assert!(store.update(&order, &next).await.unwrap());
        // The same status in another version is another state.
        assert!(!store.update(&order, &next).await.unwrap());
        order = next;
        assert_eq!(store.find(order.id).await.unwrap().unwrap().0, order);
    }
    let other = inserted(&store, new_order(2)).await;
    let failed = State::Failed {
        at: now(),
        reason: Reason::EXPIRED,
    };
    let failed = moved(&other, failed);
    assert!(store.update(&other, &failed).await.unwrap());
    assert_eq!(store.find(other.id).await.unwrap().unwrap().0, failed);
}

#[tokio::test]
async fn a_sale_that_is_to_be_cancelled_is_leased_to_who_began_and_then_to_one_at_a_time() {
    let (store, pool) = open().await;
    let order = inserted(&store, new_order(1)).await;
    let sold = moved(&order, confirmed());
    store.update(&order, &sold).await.unwrap();
    assert_eq!(store.cancelling().await.unwrap(), 0);
    let begun = moved(&sold, cancelling(None));
    store.update(&sold, &begun).await.unwrap();
    assert_eq!(store.cancelling().await.unwrap(), 1);
    assert!(store.lease_cancelling(10, HOUR).await.unwrap().is_empty());
    let over = sqlx::query("UPDATE orders SET lease_until_us = now_us()");
    over.execute(&pool).await.unwrap();
    assert_eq!(store.lease_cancelling(10, HOUR).await.unwrap(), [order.id]);
    assert!(store.lease_cancelling(10, HOUR).await.unwrap().is_empty());
    let done = moved(&begun, cancelled(None, Some(now())));
    assert!(store.update(&begun, &done).await.unwrap());
    assert_eq!(store.cancelling().await.unwrap(), 0);
    assert!(store.lease_cancelling(10, HOUR).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_orders_that_moved_on_are_found_changed() {
    let (store, _) = open().await;
    let (one, two) = (
        inserted(&store, new_order(1)).await,
        inserted(&store, new_order(2)).await,
    );
    let seen = [(one.id, 0), (two.id, 0), (OrderId(Uuid::from_u128(3)), 0)];
    assert_eq!(store.find_changed(&seen).await.unwrap(), []);
    let sold = moved(&two, confirmed());
    store.update(&two, &sold).await.unwrap();
    assert_eq!(store.find_changed(&seen).await.unwrap(), [sold]);
    let seen = [(one.id, 0), (two.id, 1)];
    assert_eq!(store.find_changed(&seen).await.unwrap(), []);
}

#[tokio::test]
async fn a_due_order_is_leased_to_one_at_a_time() {
    let (store, pool) = open().await;
    for number in 1..=3 {
        inserted(&store, new_order(number)).await;
    }
    assert!(store.lease_due(10, HOUR).await.unwrap().is_empty());
    let due = sqlx::query("UPDATE orders SET expires_at_us = now_us() - 1 WHERE id <> $1");
    due.bind(Uuid::from_u128(3)).execute(&pool).await.unwrap();
    let first = store.lease_due(1, HOUR).await.unwrap();
    let second = store.lease_due(10, Duration::ZERO).await.unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
    // The second lease has run out, the first has not.
    assert_eq!(store.lease_due(10, HOUR).await.unwrap(), second);
    assert!(store.lease_due(10, HOUR).await.unwrap().is_empty());
    let (pending, first_due) = store.pending().await.unwrap();
    assert_eq!(pending, 3);
    assert!(first_due.unwrap() <= now());
}

#[tokio::test]
async fn rows_that_make_no_sense_are_impossible() {
    let (store, pool) = open().await;
    inserted(&store, new_order(1)).await;
    for change in [
        "status = 'SHIPPED'",
        "status = 'CONFIRMED'",
        "status = 'CANCELLED', cancelled_at_us = 5",
        "status = 'CANCELLED', reason = 'EXPIRED'",
        "status = 'CANCELLED', reason = 'no', cancelled_at_us = 5",
        "status = 'CANCELLED', reason = 'EXPIRED', cancelled_at_us = 5, cancel_reason = 'words'",
        "status = 'CONFIRMED', confirmed_at_us = 5, cancelled_at_us = 5",
        "reason = 'EXPIRED'",
        "confirmed_at_us = 5",
        "version = -1",
        "cancelling_at_us = 5, cancelling_reason = 'EXPIRED'",
        "status = 'CONFIRMED', confirmed_at_us = 5, cancelling_at_us = 5",
        "status = 'CONFIRMED', confirmed_at_us = 5, cancelling_reason = 'EXPIRED'",
        "status = 'CONFIRMED', confirmed_at_us = 5, cancelling_at_us = 5, cancelling_reason = 'no'",
        "status = 'CONFIRMED', confirmed_at_us = 5, cancel_reason = 'words'",
        "flow = 'other'",
        "total_amount = -1",
        "items = '[]'",
        "items = '{}'",
        "fingerprint = '\\x00'",
        "updated_at_us = created_at_us - 1",
    ] {
        let update = sqlx::AssertSqlSafe(format!("UPDATE orders SET {change}"));
        let refused = sqlx::query(update).execute(&pool).await.unwrap_err();
        let error = refused.into_database_error().unwrap();
        assert!(error.is_check_violation(), "{change}: {error}");
    }
}

#[tokio::test]
async fn the_databases_clock_counts_microseconds() {
    let (_, pool) = open().await;
    let before = now();
    let clock = sqlx::query_scalar::<_, i64>("SELECT now_us()");
    let there = clock.fetch_one(&pool).await.unwrap();
    assert!((before.as_micros()..=now().as_micros()).contains(&there));
}
