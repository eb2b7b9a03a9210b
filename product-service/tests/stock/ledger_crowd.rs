//! Several replicas at one ledger.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use product_service::{
    ledger::{
        command::{Bundle, Command, Outcome, Settled},
        hold::HoldEnd,
    },
    store::{MIGRATIONS, SCHEMA, Store, commit::CommitError},
};
use sql::Engine;
use test_kit::{Postgres, eventually};

use crate::bed::{
    Bed, alone, buy, deal_line, new_id, order, restore, shelf_line, take, taken, user,
};

/// As the ledger's worker: what raced is tried again at once.
async fn settle(store: &Store, bundles: &[Bundle]) -> Settled {
    loop {
        match store.commit(new_id(), bundles).await {
            Err(CommitError::Raced) => {}
            settled => return settled.unwrap(),
        }
    }
}

async fn promise_3_an_order_id_takes_once_through_however_many_replicas(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 100, None).await;
    let normal = bed.product(2, 100).await;
    let replicas = [bed.store.clone(), bed.another_store().await];
    for number in 1..=20 {
        let request = [alone(buy(
            number,
            vec![deal_line(hot, 1), shelf_line(normal, 2)],
        ))];
        let both = replicas.each_ref().map(|store| settle(store, &request));
        let answers = join_all(both).await;
        let replays: BTreeSet<bool> = answers
            .iter()
            .map(|settled| taken(&settled.outcomes[0][0]).is_replay)
            .collect();
        assert_eq!(
            replays,
            BTreeSet::from([false, true]),
            "one takes, one replays"
        );
    }
    assert_eq!(bed.deal(hot.1).await.sums.held, 20);
    assert_eq!(bed.shelf(normal).await.sums.held, 40);
}

async fn promise_4_of_confirm_and_restore_at_once_one_wins_and_both_are_told(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 100, None).await;
    let other = bed.another_store().await;
    for number in 1..=20 {
        taken(&bed.ask(buy(number, vec![deal_line(hot, 1)])).await);
        let sell = [alone(Command::Confirm(order(number)))];
        let free = [alone(restore(number))];
        let (sold, freed) = tokio::join!(settle(&bed.store, &sell), settle(&other, &free));
        match (&sold.outcomes[0][0], &freed.outcomes[0][0]) {
            (Outcome::Ended(HoldEnd::Sold { at }), Outcome::Ended(HoldEnd::Sold { at: same })) => {
                assert_eq!(at, same);
            }
            (Outcome::Refused(_), Outcome::Ended(HoldEnd::Released { .. })) => {}
            both => panic!("{both:?}"),
        }
    }
    let sums = bed.deal(hot.1).await.sums;
    assert_eq!((sums.held, sums.available + sums.sold), (0, 100));
}

async fn an_unknown_order_is_taken_or_buried_but_not_both(engine: Engine) {
    let bed = Bed::new(engine).await;
    let normal = bed.product(1, 100).await;
    let other = bed.another_store().await;
    for number in 1..=20 {
        let take = [alone(buy(number, vec![shelf_line(normal, 1)]))];
        let bury = [alone(restore(number))];
        tokio::join!(settle(&bed.store, &take), settle(&other, &bury));
    }
    assert_eq!(bed.shelf(normal).await.sums.available, 100);
}

async fn transactions_in_opposite_order_never_wait_for_each_other_in_a_circle(engine: Engine) {
    let bed = Bed::new(engine).await;
    // The order of the deals' ids is not that of their products'.
    let mut lines = vec![];
    for number in [3, 1, 2] {
        lines.push(deal_line(
            bed.hot_product(number, 1_000, Some(1_000)).await,
            1,
        ));
    }
    for number in [6, 4, 5] {
        lines.push(shelf_line(bed.product(number, 1_000).await, 1));
    }
    let work = (0..8_u128).map(|worker| {
        let (store, mut lines) = (bed.store.clone(), lines.clone());
        async move {
            for round in 0..15 {
                lines.reverse();
                let number = |nth| 1 + worker * 1_000 + round * 10 + nth;
                let mut bundles: Vec<Bundle> = (0..3)
                    .map(|nth| {
                        let mut some = lines[(nth as usize)..(nth as usize) + 3].to_vec();
                        some.sort_by_key(|line| line.product_id);
                        alone(take(order(number(nth)), user(number(nth)), some))
                    })
                    .collect();
                if worker % 2 == 0 {
                    bundles.reverse();
                }
                // Any error fails the test, a deadlock first of all.
                store.commit(new_id(), &bundles).await.unwrap();
                let endings = (0..3).map(|nth| alone(restore(number(nth))));
                let endings: Vec<Bundle> = endings.collect();
                store.commit(new_id(), &endings).await.unwrap();
            }
        }
    });
    join_all(work.map(tokio::spawn))
        .await
        .into_iter()
        .for_each(Result::unwrap);
    for product in 1..=3 {
        let deal = domain::DealId(uuid::Uuid::from_u128(1_000 + product));
        assert_eq!(bed.deal(deal).await.sums.available, 1_000);
    }
}

/// SQLite has one process.
#[tokio::test]
async fn a_replica_that_stops_within_a_transaction_does_not_stop_the_deal() {
    let bed = Bed::new(Engine::Postgres).await;
    let hot = bed.hot_product(1, 10, None).await;
    let mut stopped = bed.postgres().begin().await.unwrap();
    sqlx::query("SELECT * FROM deals FOR UPDATE")
        .execute(&mut *stopped)
        .await
        .unwrap();
    let request = [alone(buy(1, vec![deal_line(hot, 1)]))];
    eventually(Duration::from_secs(10), "the deal goes on", || async {
        match bed.store.commit(new_id(), &request).await {
            Err(CommitError::Retry(_)) => false,
            settled => matches!(settled.unwrap().outcomes[0][0], Outcome::Taken(_)),
        }
    })
    .await;
    let woken = sqlx::query("SELECT 1").execute(&mut *stopped).await;
    assert!(woken.is_err(), "the server has ended its transaction");
}

/// SQLite has one process.
#[tokio::test]
async fn five_replicas_that_start_at_once_migrate_once() {
    let url = Postgres::shared().database().await.url;
    let migrations = (0..5).map(|_| sql::migrate(&url, SCHEMA, &MIGRATIONS));
    for migrated in join_all(migrations).await {
        migrated.unwrap();
    }
    let store = Bed::on(url).await.store;
    assert!(store.open_deals().await.unwrap().is_empty());
}

test_kit::on_both_engines! {
    tokio::test: promise_3_an_order_id_takes_once_through_however_many_replicas,
        promise_4_of_confirm_and_restore_at_once_one_wins_and_both_are_told,
        an_unknown_order_is_taken_or_buried_but_not_both,
        transactions_in_opposite_order_never_wait_for_each_other_in_a_circle;
}
