//! Random histories: the ledger says what the model says, decided purely and on the database.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::{DealId, Money, OrderId, ProductId, Timestamp};
use metrics_exporter_prometheus::PrometheusBuilder;
use product_service::{
    ledger::{
        book::{Book, Changes, DealWrite, ShelfRow},
        command::{Bundle, Command, Outcome},
        decide::decide,
        hold::HoldEnd,
        sums::Sums,
    },
    store::Store,
};
use proptest::prelude::*;
use sql::{Database, Engine};

use crate::{
    bed::{Bed, HOUR, alone, new_id, user},
    history::{BUYERS, History, SHELF_UNITS, Step, Times, opening, sale_step, step},
    model::{Model, NAME, PRICE, Units},
};

/// The year 2100.
const FAR: i64 = 4_102_444_800_000_000;
const START: i64 = 1_700_000_000_000_000;

fn units(sums: &Sums) -> Units {
    Units {
        available: sums.available,
        held: sums.held,
        sold: sums.sold,
    }
}

fn shelf(product_id: ProductId) -> ShelfRow {
    ShelfRow {
        product_id,
        product_name: NAME.into(),
        unit_price: Money::try_from(PRICE).unwrap(),
        deal_id: None,
        sums: Sums {
            initial: SHELF_UNITS,
            available: SHELF_UNITS,
            ..Sums::default()
        },
    }
}

/// As the database does when the changes are written.
fn number_opened(book: &mut Book) {
    for (id, write) in &book.changes.deal_life {
        if matches!(write, DealWrite::Open | DealWrite::Start) {
            book.deals.get_mut(id).unwrap().number = 1;
        }
    }
}

/// Every account is sound and as the model has it; what is owed has not shrunk.
fn compare(book: &Book, model: &Model, owed: &mut BTreeMap<DealId, i64>) {
    for (id, row) in &book.shelves {
        assert!(row.sums.is_sound(), "{row:?}");
        assert_eq!(units(&row.sums), model.shelves[id]);
        assert_eq!(row.deal_id, model.open_deal(*id));
    }
    assert_eq!(book.deals.len(), model.deals.len());
    for (id, row) in &book.deals {
        let expected = &model.deals[id];
        assert!(row.sums.is_sound(), "{row:?}");
        assert_eq!(units(&row.sums), expected.units, "{row:?}");
        let before = owed.insert(*id, row.owed).unwrap_or(0);
        assert!(before <= row.owed, "what is owed only grows");
        assert_eq!(row.owed, expected.owed, "{row:?}");
    }
    for ((deal_id, user_id), bought) in &book.buyers {
        assert_eq!(*bought, model.bought(*deal_id, *user_id));
    }
}

/// What is written is what has changed.
fn check_changes(before: &Book, after: &Book) {
    for (id, by) in &after.changes.shelves {
        assert!(by.is_balanced(), "{by:?}");
        let available = after.shelves[id].sums.available - before.shelves[id].sums.available;
        assert_eq!(by.available, available);
    }
    for (id, by) in &after.changes.deals {
        assert!(by.sums.is_balanced() && by.owed >= 0, "{by:?}");
        assert_eq!(by.owed, after.deals[id].owed - before.deals[id].owed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_1_a_history_decided_purely_is_as_the_model_says(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let times = Times {
            short_ttl: Duration::from_secs(120),
            ends_soon: Timestamp::from_micros(START).plus(Duration::from_secs(600)),
            first_slot: (
                Timestamp::from_micros(START),
                Timestamp::from_micros(START).plus(Duration::from_secs(900)),
            ),
            slot: Duration::from_secs(600),
        };
        let mut history = History::new(0, times);
        let mut model = Model::new(Timestamp::from_micros(START), history.shelves());
        let mut book = Book::new(model.now);
        book.shelves = history.shelves().into_keys().map(|id| (id, shelf(id))).collect();
        let mut owed = BTreeMap::new();
        for step in &steps {
            if let Step::Wait(seconds) = step {
                model.now = model.now.plus(Duration::from_secs(*seconds));
                book.now = model.now;
            }
            let Some(command) = history.command(&model, step) else {
                continue;
            };
            book.changes = Changes::default();
            let before = book.clone();
            let outcome = decide(&mut book, &command);
            prop_assert_eq!(outcome, model.decide(&command), "{:?}", command);
            number_opened(&mut book);
            compare(&book, &model, &mut owed);
            check_changes(&before, &book);
        }
    }
}

/// Times are the database's, which the model does not know: the order in which an order was first
/// answered stands for them.
fn without_times(outcome: Outcome) -> Outcome {
    let never = Timestamp::from_micros(0);
    match outcome {
        Outcome::Taken(mut taken) => {
            taken.expires_at = never;
            Outcome::Taken(taken)
        }
        Outcome::Ended(HoldEnd::Sold { .. }) => Outcome::Ended(HoldEnd::Sold { at: never }),
        Outcome::Ended(HoldEnd::Released { reason, .. }) => {
            Outcome::Ended(HoldEnd::Released { at: never, reason })
        }
        Outcome::Ended(HoldEnd::Returned { reason, .. }) => {
            Outcome::Ended(HoldEnd::Returned { at: never, reason })
        }
        other => other,
    }
}

/// An order's times as they were told first.
#[derive(Default)]
struct Told {
    expires_at: HashMap<OrderId, Timestamp>,
    ended_at: HashMap<OrderId, Timestamp>,
    returned_at: HashMap<OrderId, Timestamp>,
}

impl Told {
    fn check(&mut self, command: &Command, outcome: &Outcome) {
        let Some(order_id) = command.order_id() else {
            return;
        };
        let (told, time) = match outcome {
            Outcome::Taken(taken) => (&mut self.expires_at, taken.expires_at),
            Outcome::Ended(HoldEnd::Returned { at, .. }) => (&mut self.returned_at, *at),
            Outcome::Ended(end) => (&mut self.ended_at, end.at()),
            _ => return,
        };
        let first = *told.entry(order_id).or_insert(time);
        assert_eq!(first, time, "a time that was told has changed");
    }
}

/// Whether transactions are decided over what the last one left, where they may be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Memory {
    Kept,
    Lost,
}

async fn replay_on_database(bed: &Bed, memory: Memory, number: u128, batches: &[Vec<Step>]) {
    let times = Times {
        short_ttl: Duration::ZERO,
        ends_soon: Timestamp::from_micros(0),
        first_slot: (Timestamp::from_micros(0), Timestamp::from_micros(FAR)),
        slot: HOUR,
    };
    let mut history = History::new(number, times);
    for product in 0..crate::history::PRODUCTS {
        bed.product(history.product_number(product), SHELF_UNITS)
            .await;
    }
    let mut model = Model::new(Timestamp::from_micros(0), history.shelves());
    let mut told = Told::default();
    for batch in batches {
        let mut commands = Vec::new();
        let mut expected = Vec::new();
        for step in batch {
            if let Some(command) = history.command(&model, step) {
                expected.push(without_times(model.decide(&command)));
                commands.push(command);
            }
        }
        let store = match memory {
            Memory::Kept => bed.store.clone(),
            Memory::Lost => Store::new(bed.database.clone()),
        };
        let bundles: Vec<Bundle> = commands.iter().cloned().map(alone).collect();
        let settled = store.commit(new_id(), &bundles).await.unwrap();
        let outcomes: Vec<Outcome> = settled.outcomes.into_iter().flatten().collect();
        for (command, outcome) in commands.iter().zip(&outcomes) {
            told.check(command, outcome);
        }
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(without_times).collect();
        assert_eq!(outcomes, expected, "{commands:#?}");
        compare_rows(bed, &history, &model).await;
    }
}

/// The accounts as the open and sold lines of the holds make them.
const FROM_HOLDS_SQLITE: &str = "
    SELECT coalesce(sum(line.value ->> 'quantity') FILTER (WHERE state = 'open'), 0),
           coalesce(sum(line.value ->> 'quantity') FILTER (WHERE state = 'sold'), 0)
    FROM holds, json_each(lines) AS line
    WHERE line.value ->> 'product_id' = $1 AND line.value ->> 'deal_id' IS $2";
const FROM_HOLDS_POSTGRES: &str = "
    SELECT coalesce(sum((line->>'quantity')::bigint) FILTER (WHERE state = 'open'), 0)::bigint,
           coalesce(sum((line->>'quantity')::bigint) FILTER (WHERE state = 'sold'), 0)::bigint
    FROM holds, jsonb_array_elements(lines) AS line
    WHERE line->>'product_id' = $1 AND line->>'deal_id' IS NOT DISTINCT FROM $2";

async fn compare_rows(bed: &Bed, history: &History, model: &Model) {
    for (product_id, expected) in &model.shelves {
        let row = bed.shelf(*product_id).await;
        assert!(row.sums.is_sound(), "{row:?}");
        assert_eq!(units(&row.sums), *expected, "{row:?}");
        assert_eq!(row.deal_id, model.open_deal(*product_id));
        assert_eq!(
            from_holds(bed, *product_id, None).await,
            (expected.held, expected.sold)
        );
    }
    for (deal_id, expected) in &model.deals {
        let row = bed.deal(*deal_id).await;
        assert!(row.sums.is_sound(), "{row:?}");
        assert_eq!(
            (units(&row.sums), row.owed),
            (expected.units, expected.owed),
            "{row:?}"
        );
        let held_and_sold = from_holds(bed, expected.product_id, Some(*deal_id)).await;
        assert_eq!(held_and_sold, (expected.units.held, expected.units.sold));
        if row.per_user_limit.is_some() {
            compare_buyers(bed, history, model, *deal_id).await;
        }
    }
}

async fn from_holds(bed: &Bed, product_id: ProductId, deal_id: Option<DealId>) -> (i64, i64) {
    let (product, deal) = (product_id.to_string(), deal_id.map(|id| id.to_string()));
    match &bed.database {
        Database::Postgres(server) => {
            let query = sqlx::query_as(FROM_HOLDS_POSTGRES).bind(product).bind(deal);
            query.fetch_one(server.pool()).await.unwrap()
        }
        Database::Sqlite(file) => {
            let query = sqlx::query_as(FROM_HOLDS_SQLITE).bind(product).bind(deal);
            query.fetch_one(file.reader()).await.unwrap()
        }
    }
}

async fn compare_buyers(bed: &Bed, history: &History, model: &Model, deal_id: DealId) {
    let buyer = |number| (deal_id, user(history.product_number(0) + number));
    let buyers: Vec<_> = (0..BUYERS).map(buyer).collect();
    let bought = bed.store.find_buyers(&buyers).await.unwrap();
    for buyer in buyers {
        let units = bought.get(&buyer).copied().unwrap_or(0);
        assert_eq!(units, model.bought(deal_id, buyer.1));
    }
}

#[test]
fn promise_1_a_history_on_the_database_is_as_the_model_says() {
    histories_are_as_the_model_says(Engine::Postgres);
}

#[test]
fn promise_1_a_history_on_a_file_is_as_the_model_says() {
    histories_are_as_the_model_says(Engine::Sqlite);
}

fn histories_are_as_the_model_says(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let bed = runtime.block_on(Bed::new(engine));
    let histories = AtomicU64::new(0);
    let batch = prop::collection::vec(step(), 1..=8);
    let config = ProptestConfig {
        cases: 40,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    };
    proptest!(config, |(batches in prop::collection::vec(batch, 4..14))| {
        let number = u128::from(histories.fetch_add(1, Ordering::Relaxed));
        runtime.block_on(replay_on_database(&bed, Memory::Kept, number, &batches));
    });
}

/// Mostly sales, with all that may come between them: taken by one statement where the ledger remembers the
/// deals, and by several where it never does, they say and write the same.
#[test]
fn promise_1_a_history_of_sales_is_as_the_model_says_in_one_statement_or_several() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let bed = runtime.block_on(Bed::new(Engine::Postgres));
    let histories = AtomicU64::new(0);
    let batch = prop_oneof![
        5 => prop::collection::vec(sale_step(), 1..=6),
        1 => prop::collection::vec(step(), 1..=2),
    ];
    let config = ProptestConfig {
        cases: 20,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    };
    proptest!(config, |(batches in prop::collection::vec(batch, 4..14))| {
        for memory in [Memory::Kept, Memory::Lost] {
            let number = u128::from(histories.fetch_add(1, Ordering::Relaxed));
            let opened = opening().chain(batches.iter().cloned()).collect::<Vec<_>>();
            runtime.block_on(replay_on_database(&bed, memory, number, &opened));
            // The next one is not to search the rows of those before it.
            runtime.block_on(bed.by_hand("TRUNCATE holds, deal_buyers, batches")).unwrap();
        }
    });
    let told = recorder.handle().render();
    let sales = told
        .lines()
        .find_map(|line| line.strip_prefix("ledger_sales_total{path=\"taken\"} "));
    let sales: u64 = sales.unwrap().parse().unwrap();
    assert!(sales > 20, "one or more in a history: {sales}");
}
