//! What any store of orders must do, on both engines.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use domain::{Clock as _, Money, OrderId, ProductId, Quantity, SystemClock, Timestamp, UserId};
use order_service::{
    order::{Fingerprint, Flow, Line, Order, Reason, ShippingAddress, State, Status, id},
    store::{
        MIGRATIONS, SCHEMA, Store,
        insert::{Inserted, NewEvent, NewOrder},
        list::Filter,
    },
};
use serde_json::value::RawValue;
use sql::{Database, Engine, PoolOptions};
use test_kit::{Postgres, scratch_directory};
use uuid::Uuid;

const USER: UserId = UserId(Uuid::from_u128(1));
const HOUR: Duration = Duration::from_secs(3600);

test_kit::on_both_engines! {
    tokio::test: what_is_inserted_is_read_back_unchanged,
        an_id_is_inserted_once_and_then_answered_as_it_stands,
        nothing_is_inserted_after_its_deadline_while_its_neighbours_are,
        an_order_and_its_events_commit_together_and_once,
        an_update_wins_only_over_the_state_it_was_decided_on,
        every_state_is_read_back_as_it_was_stored,
        a_sale_that_is_to_be_cancelled_is_leased_to_who_began_and_then_to_one_at_a_time,
        only_orders_that_moved_on_are_found_changed,
        a_due_order_is_leased_to_one_at_a_time,
        rows_that_make_no_sense_are_impossible,
        the_databases_clock_counts_microseconds,
        a_list_is_filtered_by_status_and_time,
        what_ended_long_ago_is_deleted_with_its_events,
        a_buyers_orders_are_counted_over_all_pages;
}

async fn open(engine: Engine) -> (Store, Database) {
    let url = match engine {
        Engine::Postgres => Postgres::shared().database().await.url,
        Engine::Sqlite => {
            let path = scratch_directory("order").join("order.db");
            format!("sqlite://{}", path.display())
        }
    };
    let options = PoolOptions::new(url, SCHEMA);
    let database = sql::open(options, &MIGRATIONS, HOUR).await.unwrap();
    (Store::new(database.clone()), database)
}

/// An id within a statement.
fn literal(database: &Database, id: Uuid) -> String {
    match database.engine() {
        Engine::Postgres => format!("'{id}'"),
        Engine::Sqlite => format!("x'{}'", id.simple()),
    }
}

/// Changes rows behind the store's back.
async fn by_hand(database: &Database, statement: &str) -> Result<(), sqlx::Error> {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    sql::write!(database, |pool| sqlx::raw_sql(statement)
        .execute(pool)
        .await
        .map(drop))
}

async fn number(database: &Database, statement: &'static str) -> i64 {
    sql::read!(database, |pool| sqlx::query_scalar(statement)
        .fetch_one(pool)
        .await
        .unwrap())
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

async fn outbox_len(database: &Database) -> i64 {
    number(database, "SELECT count(*) FROM outbox").await
}

async fn what_is_inserted_is_read_back_unchanged(engine: Engine) {
    let (store, _) = open(engine).await;
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

async fn an_id_is_inserted_once_and_then_answered_as_it_stands(engine: Engine) {
    let (store, _) = open(engine).await;
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

async fn nothing_is_inserted_after_its_deadline_while_its_neighbours_are(engine: Engine) {
    let (store, database) = open(engine).await;
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
    assert_eq!(outbox_len(&database).await, 1);
}

async fn an_order_and_its_events_commit_together_and_once(engine: Engine) {
    let (store, database) = open(engine).await;
    insert(&store, &[with_event(1), with_event(2), new_order(3)]).await;
    assert_eq!(outbox_len(&database).await, 2);
    // A repeated order brings no second event, even under a new event id.
    let mut again = with_event(1);
    again.events[0].id = Uuid::from_u128(0x9999);
    insert(&store, &[again]).await;
    assert_eq!(outbox_len(&database).await, 2);
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

async fn an_update_wins_only_over_the_state_it_was_decided_on(engine: Engine) {
    let (store, _) = open(engine).await;
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

async fn every_state_is_read_back_as_it_was_stored(engine: Engine) {
    let (store, _) = open(engine).await;
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

async fn a_sale_that_is_to_be_cancelled_is_leased_to_who_began_and_then_to_one_at_a_time(
    engine: Engine,
) {
    let (store, database) = open(engine).await;
    let order = inserted(&store, new_order(1)).await;
    let sold = moved(&order, confirmed());
    store.update(&order, &sold).await.unwrap();
    assert_eq!(store.cancelling().await.unwrap(), 0);
    let begun = moved(&sold, cancelling(None));
    store.update(&sold, &begun).await.unwrap();
    assert_eq!(store.cancelling().await.unwrap(), 1);
    assert!(store.lease_cancelling(10, HOUR).await.unwrap().is_empty());
    let over = "UPDATE orders SET lease_until_us = (SELECT now_us FROM clock)";
    by_hand(&database, over).await.unwrap();
    assert_eq!(store.lease_cancelling(10, HOUR).await.unwrap(), [order.id]);
    assert!(store.lease_cancelling(10, HOUR).await.unwrap().is_empty());
    let done = moved(&begun, cancelled(None, Some(now())));
    assert!(store.update(&begun, &done).await.unwrap());
    assert_eq!(store.cancelling().await.unwrap(), 0);
    assert!(store.lease_cancelling(10, HOUR).await.unwrap().is_empty());
}

async fn only_orders_that_moved_on_are_found_changed(engine: Engine) {
    let (store, _) = open(engine).await;
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

async fn a_due_order_is_leased_to_one_at_a_time(engine: Engine) {
    let (store, database) = open(engine).await;
    for number in 1..=3 {
        inserted(&store, new_order(number)).await;
    }
    assert!(store.lease_due(10, HOUR).await.unwrap().is_empty());
    let third = literal(&database, Uuid::from_u128(3));
    let due = format!(
        "UPDATE orders SET expires_at_us = (SELECT now_us FROM clock) - 1 WHERE id <> {third}"
    );
    by_hand(&database, &due).await.unwrap();
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

async fn rows_that_make_no_sense_are_impossible(engine: Engine) {
    let (store, database) = open(engine).await;
    inserted(&store, new_order(1)).await;
    let short = match engine {
        Engine::Postgres => r"fingerprint = '\x00'",
        Engine::Sqlite => "fingerprint = x'00'",
    };
    for change in [
        short,
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
        "updated_at_us = created_at_us - 1",
    ] {
        let update = format!("UPDATE orders SET {change}");
        let refused = by_hand(&database, &update).await.unwrap_err();
        let error = refused.into_database_error().unwrap();
        assert!(error.is_check_violation(), "{change}: {error}");
    }
}

async fn the_databases_clock_counts_microseconds(engine: Engine) {
    let (_, database) = open(engine).await;
    let before = now();
    let there = number(&database, "SELECT now_us FROM clock").await;
    // SQLite's clock tells milliseconds.
    let before = before.minus(Duration::from_millis(1));
    assert!((before.as_micros()..=now().as_micros() + 1_000).contains(&there));
}

fn only(statuses: &[Status]) -> Filter {
    Filter {
        statuses: statuses.to_vec(),
        ..Filter::default()
    }
}

async fn listed(store: &Store, filter: &Filter) -> Vec<u128> {
    let (orders, total) = store.list(USER, filter, 100, 0).await.unwrap();
    assert_eq!(i64::try_from(orders.len()).unwrap(), total);
    orders.iter().map(|order| order.id.0.as_u128()).collect()
}

/// Places an order as if it had been an hour for each number since 1970.
async fn placed_at_hour(store: &Store, database: &Database, number: u128) -> Order {
    let order = inserted(store, new_order(number)).await;
    let hours = number * 3_600_000_000;
    let id = literal(database, order.id.0);
    let date = format!(
        "UPDATE orders SET created_at_us = {hours}, updated_at_us = {hours} WHERE id = {id}"
    );
    by_hand(database, &date).await.unwrap();
    store.find(order.id).await.unwrap().unwrap().0
}

async fn a_list_is_filtered_by_status_and_time(engine: Engine) {
    let (store, database) = open(engine).await;
    let mut orders = Vec::new();
    for number in 1..=4 {
        orders.push(placed_at_hour(&store, &database, number).await);
    }
    let sold = moved(&orders[1], confirmed());
    store.update(&orders[1], &sold).await.unwrap();
    let gone = moved(&orders[2], cancelled(None, None));
    store.update(&orders[2], &gone).await.unwrap();
    assert_eq!(listed(&store, &Filter::default()).await, [4, 3, 2, 1]);
    assert_eq!(listed(&store, &only(&[Status::Pending])).await, [4, 1]);
    let ended = [Status::Confirmed, Status::Cancelled];
    assert_eq!(listed(&store, &only(&ended)).await, [3, 2]);
    assert_eq!(listed(&store, &only(&[Status::Failed])).await, []);
    let hour = |hours: u64| Timestamp::from_micros(0).plus(Duration::from_secs(3_600 * hours));
    let between = |from, to| Filter {
        created_from: Some(hour(from)),
        created_to: Some(hour(to)),
        ..Filter::default()
    };
    assert_eq!(listed(&store, &between(2, 4)).await, [3, 2]);
    let pending = Filter {
        statuses: vec![Status::Pending],
        ..between(1, 4)
    };
    assert_eq!(listed(&store, &pending).await, [1]);
}

async fn a_buyers_orders_are_counted_over_all_pages(engine: Engine) {
    let (store, _) = open(engine).await;
    let orders: Vec<NewOrder> = (1..=5).map(new_order).collect();
    insert(&store, &orders).await;
    let (page, total) = store.list(USER, &Filter::default(), 2, 4).await.unwrap();
    assert_eq!((page.len(), total), (1, 5));
    let nobody = UserId(Uuid::from_u128(9));
    let none = store.list(nobody, &Filter::default(), 2, 0).await.unwrap();
    assert_eq!(none, (vec![], 0));
}

async fn what_ended_long_ago_is_deleted_with_its_events(engine: Engine) {
    let (store, database) = open(engine).await;
    for number in 1..=4 {
        let order = inserted(&store, with_event(number)).await;
        if number > 1 {
            let sold = moved(&order, confirmed());
            store.update(&order, &sold).await.unwrap();
        }
    }
    let old = "UPDATE orders SET created_at_us = 1, updated_at_us = 1";
    by_hand(&database, old).await.unwrap();
    assert_eq!(store.delete_ended(HOUR, 10).await.unwrap(), 0, "unsent");
    let sent = "UPDATE outbox SET sent_at_us = created_at_us";
    by_hand(&database, sent).await.unwrap();
    let (one, more) = (
        store.delete_ended(HOUR, 1).await.unwrap(),
        store.delete_ended(HOUR, 10).await.unwrap(),
    );
    assert_eq!((one, more), (1, 2), "all but the pending one");
    assert_eq!(listed(&store, &Filter::default()).await, [1]);
    assert_eq!(outbox_len(&database).await, 1);
}
