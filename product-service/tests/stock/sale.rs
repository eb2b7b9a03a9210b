//! Sales of one statement: they are taken, say and write what a transaction of several statements does, and
//! whatever they assume wrongly changes nothing. SQLite has no such statement.

use std::collections::BTreeMap;

use domain::{DealId, OrderId, ProductId, UserId};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use product_service::{
    ledger::command::{Bundle, Command, Outcome, Refusal, TakeLine},
    store::{Store, commit::CommitError},
};
use sql::Engine;
use test_kit::eventually;

use crate::{
    bed::{
        Bed, HOUR, admitted, alone, buy, deal_line, gate_line, new_id, order, restore, take, taken,
        user,
    },
    lossy::Lossy,
    shop::{SOON, Shop, request},
};

/// How often a transaction was tried as one statement, told by its path.
struct Sales(PrometheusHandle);

impl Sales {
    /// Counts what happens on this thread while the recorder is installed.
    fn of(recorder: &PrometheusRecorder) -> Self {
        Self(recorder.handle())
    }

    /// Taken, abandoned, lost.
    fn all(&self) -> (u64, u64, u64) {
        let rendered = self.0.render();
        let by = |path| {
            let name = format!("ledger_sales_total{{path=\"{path}\"}} ");
            let count = rendered.lines().find_map(|line| line.strip_prefix(&name));
            count.map_or(0, |count| count.parse().unwrap())
        };
        (by("taken"), by("abandoned"), by("lost"))
    }
}

/// A deal of ten units that the store remembers, since an order of one has gone before: order 1 of user 1.
async fn remembered(limit: Option<i64>) -> (Bed, (ProductId, DealId)) {
    let bed = Bed::new(Engine::Postgres).await;
    let hot = bed.hot_product(1, 10, limit).await;
    taken(&bed.ask(one(1, hot)).await);
    (bed, hot)
}

fn one(number: u128, hot: (ProductId, DealId)) -> Command {
    take(order(number), user(number), vec![deal_line(hot, 1)])
}

/// A store that remembers nothing: it takes by several statements.
fn forgetful(bed: &Bed) -> Store {
    Store::new(bed.database.clone())
}

#[tokio::test]
async fn an_ordinary_sale_is_one_statement() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let sales = Sales::of(&recorder);
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (bed, hot) = remembered(None).await;
    assert_eq!(sales.all(), (0, 0, 0), "nothing is remembered yet");
    let gate_batch = new_id();
    let by_the_gate = vec![
        take(order(2), user(2), vec![gate_line(hot, 1)]),
        take(order(3), user(3), vec![gate_line(hot, 2)]),
    ];
    let bundles = [
        admitted(&[(gate_batch, hot.0)], by_the_gate),
        alone(one(4, hot)),
    ];
    let settled = bed.settle(&bundles).await;
    assert_eq!(sales.all(), (1, 0, 0));
    let remaining: Vec<_> = settled
        .outcomes
        .iter()
        .flatten()
        .map(|outcome| taken(outcome).lines[0].remaining)
        .collect();
    assert_eq!(remaining, [Some(8), Some(6), Some(5)]);
    let voided = bed.store.void(gate_batch, hot.1, 3).await.unwrap();
    assert!(!voided.is_void, "the gate's batch is recorded with it");
    bed.ask(restore(2)).await;
    taken(&bed.ask(one(5, hot)).await);
    assert_eq!(
        sales.all(),
        (2, 0, 0),
        "a release leaves the deal remembered"
    );
    let sums = bed.deal(hot.1).await.sums;
    assert_eq!((sums.available, sums.held), (5, 5));
}

/// What the database holds of the orders: by number, buyer, state, lines and how long they are held.
async fn holds(bed: &Bed, orders: &[OrderId]) -> BTreeMap<OrderId, String> {
    let (holds, _) = bed.store.find_holds(orders).await.unwrap();
    let held = holds.into_values().map(|hold| {
        let micros = hold.expires_at.as_micros() - hold.created_at.as_micros();
        let text = format!("{:?} {:?} {micros}", hold.user_id, hold.state);
        let lines = hold
            .lines
            .iter()
            .map(|line| (&line.name, line.quantity, line.unit_price));
        (
            hold.order_id,
            format!("{text} {:?}", lines.collect::<Vec<_>>()),
        )
    });
    held.collect()
}

#[tokio::test]
async fn what_a_sale_writes_and_says_is_what_several_statements_do() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let sales = Sales::of(&recorder);
    let _installed = metrics::set_default_local_recorder(&recorder);
    let mut told = Vec::new();
    for is_sale in [false, true] {
        let bed = Bed::new(Engine::Postgres).await;
        let free = bed.hot_product(1, 20, None).await;
        let limited = bed.hot_product(2, 20, Some(4)).await;
        for line in [deal_line(free, 1), deal_line(limited, 1)] {
            let number = 100 + u128::from(line.product_id == free.0);
            taken(&bed.ask(take(order(number), user(9), vec![line])).await);
        }
        let store = match is_sale {
            true => bed.store.clone(),
            false => forgetful(&bed),
        };
        let both = vec![deal_line(free, 2), deal_line(limited, 1)];
        let bundles = [
            alone(take(order(3), user(1), both.clone())),
            alone(take(order(1), user(1), vec![deal_line(limited, 3)])),
            alone(take(order(2), user(2), both)),
            alone(Command::GiveBack(Vec::new())),
            alone(take(order(4), user(9), vec![deal_line(limited, 3)])),
        ];
        let mut settled = store.commit(new_id(), &bundles).await.unwrap();
        let orders: Vec<OrderId> = (1..=4).map(order).collect();
        let (found, _) = bed.store.find_holds(&orders).await.unwrap();
        for (bundle, outcome) in bundles.iter().zip(settled.outcomes.iter_mut().flatten()) {
            if let Outcome::Taken(taken) = outcome {
                let hold = &found[&bundle.commands[0].order_id().unwrap()];
                assert_eq!(taken.expires_at, hold.expires_at, "as it stands in its row");
                assert_eq!(hold.expires_at, hold.created_at.plus(HOUR));
                taken.expires_at =
                    hold.expires_at
                        .minus(HOUR)
                        .minus(std::time::Duration::from_micros(
                            hold.created_at.as_micros().unsigned_abs(),
                        ));
            }
        }
        let buyers = [1, 2, 9].map(|number| (limited.1, user(number)));
        let bought: BTreeMap<(DealId, UserId), i64> = bed
            .store
            .find_buyers(&buyers)
            .await
            .unwrap()
            .into_iter()
            .collect();
        let rows = (bed.deal(free.1).await.sums, bed.deal(limited.1).await.sums);
        told.push((settled, holds(&bed, &orders).await, rows, bought));
    }
    assert_eq!(sales.all(), (1, 0, 0));
    assert_eq!(told[0], told[1]);
}

/// Does something by hand, or by another replica, that the store does not see, then sells one unit to `user(2)`
/// there, and says what a store answers that remembers nothing.
async fn broken(
    limit: Option<i64>,
    change: impl AsyncFnOnce(&Bed, (ProductId, DealId)),
) -> Outcome {
    let recorder = PrometheusBuilder::new().build_recorder();
    let sales = Sales::of(&recorder);
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (bed, hot) = remembered(limit).await;
    change(&bed, hot).await;
    let before = bed.deal(hot.1).await;
    let outcome = bed.ask(one(2, hot)).await;
    assert_eq!(sales.all(), (0, 1, 0), "{outcome:?}");
    let after = bed.deal(hot.1).await;
    let is_new = matches!(&outcome, Outcome::Taken(taken) if !taken.is_replay);
    assert_eq!(
        before.sums.available - after.sums.available,
        i64::from(is_new)
    );
    assert!(after.sums.is_sound());
    outcome
}

/// As [`broken`] by a new value of a column.
async fn set(column_and_value: &str) -> Outcome {
    let statement = format!("UPDATE deals SET {column_and_value}");
    broken(None, async |bed, _| bed.by_hand(&statement).await.unwrap()).await
}

#[tokio::test]
async fn a_price_that_has_changed_is_the_one_that_counts() {
    let outcome = set("unit_price_minor = 900").await;
    assert_eq!(taken(&outcome).lines[0].held.unit_price.minor(), 900);
}

#[tokio::test]
async fn a_name_that_has_changed_is_the_one_that_counts() {
    let outcome = broken(None, async |bed, _| {
        bed.by_hand("UPDATE products SET name = 'Other'")
            .await
            .unwrap();
    })
    .await;
    assert_eq!(taken(&outcome).lines[0].held.name, "Other");
}

#[tokio::test]
async fn a_deal_of_another_number_is_looked_at_again() {
    let outcome = set("number = 7").await;
    taken(&outcome);
}

#[tokio::test]
async fn a_deal_that_was_paused_meanwhile_sells_nothing() {
    let outcome = broken(None, async |bed, hot| {
        let pause = [alone(Command::PauseDeal(hot.1))];
        forgetful(bed).commit(new_id(), &pause).await.unwrap();
    })
    .await;
    assert!(matches!(
        outcome,
        Outcome::Refused(Refusal::DealNotOpen(_) | Refusal::DealPaused(_))
    ));
}

#[tokio::test]
async fn a_deal_that_was_ended_meanwhile_sells_nothing() {
    let outcome = broken(None, async |bed, hot| {
        let end = [alone(Command::EndDeal(hot.1))];
        forgetful(bed).commit(new_id(), &end).await.unwrap();
    })
    .await;
    assert_eq!(outcome, Outcome::Rerouted);
}

#[tokio::test]
async fn a_deal_whose_window_is_over_or_has_not_begun_sells_nothing() {
    for window in [
        "ends_at_us = starts_at_us + 1",
        "starts_at_us = 4102444800000000",
    ] {
        let outcome = set(window).await;
        assert!(
            matches!(outcome, Outcome::Refused(Refusal::DealNotOpen(_))),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn units_that_another_replica_took_are_not_sold_again() {
    let outcome = broken(None, async |bed, hot| {
        let all = take(order(50), user(50), vec![deal_line(hot, 9)]);
        let settled = forgetful(bed).commit(new_id(), &[alone(all)]).await;
        taken(&settled.unwrap().outcomes[0][0]);
    })
    .await;
    assert!(matches!(outcome, Outcome::Refused(Refusal::OutOfStock(_))));
}

#[tokio::test]
async fn a_limit_that_was_set_meanwhile_counts() {
    let outcome = set("per_user_limit = 1").await;
    taken(&outcome);
}

#[tokio::test]
async fn what_a_buyer_bought_at_another_replica_counts() {
    let outcome = broken(Some(1), async |bed, hot| {
        let other = take(order(50), user(2), vec![deal_line(hot, 1)]);
        let settled = forgetful(bed).commit(new_id(), &[alone(other)]).await;
        taken(&settled.unwrap().outcomes[0][0]);
    })
    .await;
    assert!(matches!(
        outcome,
        Outcome::Refused(Refusal::PerUserLimit(_))
    ));
}

#[tokio::test]
async fn an_order_that_another_replica_took_is_a_replay() {
    let outcome = broken(None, async |bed, hot| {
        let settled = forgetful(bed).commit(new_id(), &[alone(one(2, hot))]).await;
        taken(&settled.unwrap().outcomes[0][0]);
    })
    .await;
    assert!(taken(&outcome).is_replay);
}

#[tokio::test]
async fn an_order_that_was_buried_meanwhile_takes_nothing() {
    let outcome = broken(None, async |bed, _| {
        let bury = [alone(restore(2))];
        forgetful(bed).commit(new_id(), &bury).await.unwrap();
    })
    .await;
    assert_eq!(outcome, Outcome::Refused(Refusal::HoldEnded));
}

#[tokio::test]
async fn a_batch_that_was_voided_meanwhile_is_not_taken() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let sales = Sales::of(&recorder);
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (bed, hot) = remembered(None).await;
    let batch = new_id();
    forgetful(&bed).void(batch, hot.1, 1).await.unwrap();
    let late = take(order(2), user(2), vec![gate_line(hot, 1)]);
    let neighbour = alone(one(3, hot));
    let bundles = [admitted(&[(batch, hot.0)], vec![late]), neighbour];
    let settled = bed.settle(&bundles).await;
    assert_eq!(settled.outcomes[0], [Outcome::BatchVoided]);
    taken(&settled.outcomes[1][0]);
    assert_eq!(sales.all(), (0, 1, 0));
    let deal = bed.deal(hot.1).await;
    assert_eq!((deal.sums.held, deal.owed), (2, 1));
}

#[tokio::test]
async fn units_that_came_back_elsewhere_do_not_stop_a_sale() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let sales = Sales::of(&recorder);
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (bed, hot) = remembered(None).await;
    let more = [alone(Command::RestockDeal {
        deal_id: hot.1,
        delta: 5,
    })];
    forgetful(&bed).commit(new_id(), &more).await.unwrap();
    let outcome = bed.ask(one(2, hot)).await;
    assert_eq!(taken(&outcome).lines[0].remaining, Some(13));
    assert_eq!(sales.all(), (1, 0, 0));
    let fewer = [alone(Command::RestockDeal {
        deal_id: hot.1,
        delta: -12,
    })];
    forgetful(&bed).commit(new_id(), &fewer).await.unwrap();
    let last = bed.settle(&[alone(one(3, hot))]).await;
    assert_eq!(taken(&last.outcomes[0][0]).lines[0].remaining, Some(0));
    assert!(last.left[0].is_empty, "and that nothing is left is told");
    assert_eq!(sales.all(), (2, 0, 0));
}

/// The answer of a statement arrives before its transaction has ended.
#[tokio::test]
async fn a_sale_that_fails_when_it_commits_is_not_told_as_taken() {
    let (bed, hot) = remembered(None).await;
    bed.by_hand(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON holds DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await
    .unwrap();
    let outcome = bed.store.commit(new_id(), &[alone(one(2, hot))]).await;
    assert!(
        matches!(outcome, Err(CommitError::Refused(_))),
        "{outcome:?}"
    );
    assert_eq!(bed.deal(hot.1).await.sums.held, 1);
}

/// The server ends the connection while the sale waits for a lock: nobody can know what became of it.
#[tokio::test]
async fn a_sale_whose_connection_is_ended_is_lost_and_can_be_tried_again() {
    let (bed, hot) = remembered(None).await;
    let mut other = bed.postgres().begin().await.unwrap();
    sqlx::query("SELECT FROM deals FOR UPDATE")
        .execute(&mut *other)
        .await
        .unwrap();
    let txn = new_id();
    let bundle = [alone(one(2, hot))];
    let store = bed.store.clone();
    let selling = {
        let bundle = bundle.clone();
        tokio::spawn(async move { store.commit(txn, &bundle).await })
    };
    eventually(SOON, "the sale waits, and is ended", || async {
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
            WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%take_sale%'";
        let ended = sqlx::query_scalar::<_, i64>(end);
        ended.fetch_one(bed.postgres()).await.unwrap() > 0
    })
    .await;
    let lost = selling.await.unwrap();
    assert!(matches!(lost, Err(CommitError::Lost(_))), "{lost:?}");
    other.rollback().await.unwrap();
    assert!(!bed.store.has_committed(txn).await.unwrap());
    let late = bed.store.commit(txn, &bundle).await;
    assert!(matches!(late, Err(CommitError::Recorded)), "{late:?}");
    let again = bed.settle(&bundle).await;
    assert!(!taken(&again.outcomes[0][0]).is_replay);
    assert_eq!(bed.deal(hot.1).await.sums.held, 2);
}

/// A ledger behind a connection that can lose an answer, with a deal that it remembers.
async fn behind_a_lossy_connection() -> (Bed, Lossy, (ProductId, DealId)) {
    let database = test_kit::Postgres::shared().database().await;
    let lossy = Lossy::before(&database.url).await;
    let bed = Bed::on(lossy.url()).await;
    let hot = bed.hot_product(1, 10, None).await;
    taken(&bed.ask(one(1, hot)).await);
    (bed, lossy, hot)
}

#[tokio::test]
async fn a_sale_whose_answer_is_lost_is_taken_once() {
    let (bed, lossy, hot) = behind_a_lossy_connection().await;
    let batch = new_id();
    let by_the_gate = take(order(3), user(3), vec![gate_line(hot, 1)]);
    let bundles: [Bundle; 2] = [
        alone(one(2, hot)),
        admitted(&[(batch, hot.0)], vec![by_the_gate]),
    ];
    let txn = new_id();
    lossy.lose_the_next_sale();
    let lost = bed.store.commit(txn, &bundles).await;
    assert!(matches!(lost, Err(CommitError::Lost(_))), "{lost:?}");
    assert!(bed.store.has_committed(txn).await.unwrap());
    let again = bed.settle(&bundles).await;
    assert!(taken(&again.outcomes[0][0]).is_replay);
    assert_eq!(again.outcomes[1], [Outcome::BatchVoided]);
    // As the gate then lets it pass once more, and as it does if it has forgotten the admission.
    for line in [deal_line(hot, 1), gate_line(hot, 1)] {
        let bundle = admitted(
            &[(new_id(), hot.0)],
            vec![take(order(3), user(3), vec![line])],
        );
        let passed = bed.settle(&[bundle]).await;
        assert!(taken(&passed.outcomes[0][0]).is_replay);
    }
    let deal = bed.deal(hot.1).await;
    assert_eq!((deal.sums.held, deal.owed), (3, 1));
}

#[tokio::test]
async fn promise_3_a_lost_answer_costs_no_unit_and_no_order() {
    for with_gate in [true, false] {
        let database = test_kit::Postgres::shared().database().await;
        let lossy = Lossy::before(&database.url).await;
        let redis = match with_gate {
            true => Some(test_kit::Redis::start().await),
            false => None,
        };
        let bed = Bed::on(lossy.url()).await;
        let shop = Shop { bed, redis };
        let product = shop.bed.product(1, 10).await;
        let replica = shop.replica().await;
        let deal = replica.start(product, None).await;
        for number in 1..=5 {
            // The first finds nothing remembered: it is no sale yet.
            if number > 1 {
                lossy.lose_the_next_sale();
            }
            let wanted = request(order(number), user(number), &[(product, 1)]);
            let held = replica.stock.decrease(wanted, None).await.unwrap();
            assert_eq!(held.lines[0].held.quantity.units(), 1);
        }
        assert_eq!(lossy.lost(), 4);
        let sums = shop.bed.deal(deal).await.sums;
        assert_eq!((sums.held, sums.available), (5, 5));
        if with_gate {
            replica.agrees(product).await;
        }
    }
}

#[tokio::test]
async fn a_buyer_never_exceeds_the_limit_by_sales_of_two_replicas() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let sales = Sales::of(&recorder);
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (bed, hot) = remembered(Some(3)).await;
    let other = bed.another_store().await;
    taken(
        &other
            .commit(new_id(), &[alone(one(90, hot))])
            .await
            .unwrap()
            .outcomes[0][0],
    );
    let lines = |units| -> Vec<TakeLine> { vec![deal_line(hot, units)] };
    let mut held = 0;
    for (number, store) in (10..16).zip([&bed.store, &other].into_iter().cycle()) {
        let wanted = [alone(buy(number, lines(1)))];
        let settled = store.commit(new_id(), &wanted).await.unwrap();
        held += usize::from(matches!(settled.outcomes[0][0], Outcome::Taken(_)));
    }
    assert_eq!(held, 3);
    assert_eq!(sales.all().0, 3);
    let bought = bed
        .store
        .find_buyers(&[(hot.1, crate::bed::BUYER)])
        .await
        .unwrap();
    assert_eq!(bought[&(hot.1, crate::bed::BUYER)], 3);
}
