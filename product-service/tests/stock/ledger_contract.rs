//! What one transaction of the ledger promises.

use domain::BatchId;
use product_service::{
    ledger::{
        command::{Command, Outcome, Owed, Refusal},
        deal::DealStatus,
        hold::{HoldEnd, HoldState},
    },
    store::{commit::CommitError, void::Voided},
};
use sql::Engine;
use sqlx::Acquire as _;

use crate::bed::{
    BUYER, Bed, admitted, alone, buy, deal_line, gate_line, new_id, order, restore, shelf_line,
    taken,
};

async fn what_is_decided_is_what_the_rows_say(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, Some(5)).await;
    let normal = bed.product(2, 10).await;
    let mixed = vec![deal_line(hot, 2), shelf_line(normal, 3)];
    let commands = vec![
        buy(1, mixed),
        buy(2, vec![deal_line(hot, 1)]),
        buy(3, vec![shelf_line(normal, 1)]),
        Command::Confirm(order(1)),
        restore(2),
        restore(4),
    ];
    let outcomes = bed.ask_all(commands).await;

    let (deal, shelf) = (bed.deal(hot.1).await, bed.shelf(normal).await);
    assert_eq!(
        (deal.sums.available, deal.sums.held, deal.sums.sold),
        (8, 0, 2)
    );
    assert_eq!(
        (shelf.sums.available, shelf.sums.held, shelf.sums.sold),
        (6, 1, 3)
    );
    let orders: Vec<_> = (1..=4).map(order).collect();
    let (holds, _) = bed.store.find_holds(&orders).await.unwrap();
    let held: Vec<_> = taken(&outcomes[0])
        .lines
        .iter()
        .map(|line| line.held.clone())
        .collect();
    assert_eq!(holds[&order(1)].lines, held);
    assert_eq!(holds[&order(1)].expires_at, taken(&outcomes[0]).expires_at);
    assert!(matches!(
        holds[&order(1)].state,
        HoldState::Ended(HoldEnd::Sold { .. })
    ));
    assert!(matches!(
        holds[&order(2)].state,
        HoldState::Ended(HoldEnd::Released { .. })
    ));
    assert_eq!(holds[&order(3)].state, HoldState::Open);
    assert_eq!(holds[&order(4)].user_id, None, "a tombstone");
    let bought = bed.store.find_buyers(&[(hot.1, BUYER)]).await.unwrap();
    assert_eq!(bought[&(hot.1, BUYER)], 2);
}

async fn promise_6_lines_of_one_order_are_taken_together_or_not_at_all(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 5, None).await;
    let normal = bed.product(2, 5).await;
    let too_much = bed
        .ask(buy(1, vec![deal_line(hot, 5), shelf_line(normal, 6)]))
        .await;
    assert_eq!(too_much, Outcome::Refused(Refusal::OutOfStock(normal)));
    assert_eq!(bed.deal(hot.1).await.sums.available, 5);
    let all = bed
        .ask(buy(1, vec![deal_line(hot, 5), shelf_line(normal, 5)]))
        .await;
    assert_eq!(taken(&all).lines.len(), 2);
}

async fn a_refused_request_does_not_fail_its_neighbours(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 3, None).await;
    let one = |number| buy(number, vec![deal_line(hot, 1)]);
    let commands = vec![
        one(1),
        buy(2, vec![deal_line(hot, 9)]),
        Command::Confirm(order(99)),
        one(3),
        one(4),
        one(5),
    ];
    let outcomes = bed.ask_all(commands).await;
    let is_taken = |outcome: &Outcome| matches!(outcome, Outcome::Taken(_));
    let told: Vec<bool> = outcomes.iter().map(is_taken).collect();
    assert_eq!(told, [true, false, false, true, true, false]);
    assert_eq!(bed.deal(hot.1).await.sums.held, 3);
}

async fn a_deal_may_end_and_the_next_begin_in_one_transaction(engine: Engine) {
    let bed = Bed::new(engine).await;
    let (product_id, first) = bed.hot_product(1, 5, None).await;
    let next = product_service::ledger::command::OpenDeal {
        deal_id: domain::DealId(uuid::Uuid::from_u128(1)),
        product_id,
        units: Some(4),
        unit_price: None,
        per_user_limit: Some(2),
        ends_at: None,
    };
    let second = (product_id, next.deal_id);
    let commands = vec![
        Command::EndDeal(first),
        Command::OpenDeal(next),
        buy(1, vec![deal_line(second, 2)]),
    ];
    let outcomes = bed.ask_all(commands).await;
    assert_eq!(
        outcomes[..2],
        [
            Outcome::DealStands {
                status: DealStatus::Ended,
                has_changed: true
            },
            Outcome::DealOpen(second.1)
        ]
    );
    taken(&outcomes[2]);
    let (ended, running) = (bed.deal(first).await, bed.deal(second.1).await);
    assert_eq!((ended.sums.available, ended.sums.returned), (0, 5));
    assert_eq!(
        (running.sums.available, running.sums.held, running.number),
        (2, 2, 2)
    );
    assert_eq!(bed.shelf(product_id).await.deal_id, Some(second.1));
}

async fn a_gate_batch_is_taken_once(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, None).await;
    let batch = new_id();
    let lot = |number| {
        admitted(
            &[(batch, hot.0)],
            vec![buy(number, vec![gate_line(hot, 1)])],
        )
    };
    taken(&bed.settle(&[lot(1)]).await.outcomes[0][0]);
    let again = bed.settle(&[lot(2)]).await;
    assert_eq!(again.outcomes, [[Outcome::BatchVoided]]);
    let deal = bed.deal(hot.1).await;
    assert_eq!((deal.sums.held, deal.owed), (1, 0));
    let voided = bed.store.void(batch, hot.1, 1).await.unwrap();
    assert_eq!(
        voided,
        Voided {
            is_void: false,
            owed: 0
        },
        "taken stays taken"
    );
}

async fn a_voided_batch_is_owed_once_and_taken_never(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, None).await;
    let batch = new_id();
    for _ in 0..2 {
        let voided = bed.store.void(batch, hot.1, 3).await.unwrap();
        assert_eq!(
            voided,
            Voided {
                is_void: true,
                owed: 3
            }
        );
    }
    let late = admitted(&[(batch, hot.0)], vec![buy(1, vec![gate_line(hot, 3)])]);
    let settled = bed.settle(&[late]).await;
    assert_eq!(settled.outcomes, [[Outcome::BatchVoided]]);
    assert!(settled.owed.is_empty());
    let deal = bed.deal(hot.1).await;
    assert_eq!((deal.sums.available, deal.owed), (10, 3));
}

async fn a_bundle_with_a_voided_batch_is_owed_what_its_other_gates_took(engine: Engine) {
    let bed = Bed::new(engine).await;
    let one = bed.hot_product(1, 10, None).await;
    let other = bed.hot_product(2, 10, None).await;
    let (void, fresh) = (new_id(), new_id());
    bed.store.void(void, one.1, 3).await.unwrap();
    let both = buy(1, vec![gate_line(one, 3), gate_line(other, 2)]);
    let bundle = admitted(&[(void, one.0), (fresh, other.0)], vec![both]);
    let neighbour = alone(buy(2, vec![deal_line(one, 1)]));
    let settled = bed.settle(&[bundle, neighbour]).await;
    assert_eq!(settled.outcomes[0], [Outcome::BatchVoided]);
    taken(&settled.outcomes[1][0]);
    let debt = Owed {
        product_id: other.0,
        deal_number: 1,
        owed: 2,
    };
    assert_eq!(settled.owed, [debt]);
    assert_eq!(
        (bed.deal(one.1).await.owed, bed.deal(other.1).await.owed),
        (3, 2)
    );
}

async fn an_unknown_transaction_has_not_committed_however_often_that_is_asked(engine: Engine) {
    let bed = Bed::new(engine).await;
    let unknown = new_id();
    for _ in 0..3 {
        assert!(!bed.store.has_committed(unknown).await.unwrap());
    }
}

async fn a_committed_transaction_is_found_again(engine: Engine) {
    let bed = Bed::new(engine).await;
    let normal = bed.product(1, 1).await;
    let txn = new_id();
    let bundle = alone(buy(1, vec![shelf_line(normal, 1)]));
    bed.store.commit(txn, &[bundle]).await.unwrap();
    for _ in 0..2 {
        assert!(bed.store.has_committed(txn).await.unwrap());
    }
}

async fn a_transaction_that_was_declared_dead_cannot_commit_late(engine: Engine) {
    let bed = Bed::new(engine).await;
    let normal = bed.product(1, 1).await;
    let txn = new_id();
    assert!(!bed.store.has_committed(txn).await.unwrap());
    let late = alone(buy(1, vec![shelf_line(normal, 1)]));
    let outcome = bed.store.commit(txn, &[late]).await;
    assert!(matches!(outcome, Err(CommitError::Recorded)), "{outcome:?}");
    assert_eq!(bed.shelf(normal).await.sums.available, 1);
}

/// Records `txn` as taken in a transaction that stays open, as one whose commit is on its way.
async fn is_found_committed(bed: &Bed, txn: BatchId, commits: bool) -> bool {
    let mut connection = bed.postgres().acquire().await.unwrap();
    let mut open = connection.begin().await.unwrap();
    sqlx::query("INSERT INTO batches (id, is_void, recorded_at_us) VALUES ($1, false, 0)")
        .bind(txn.0)
        .execute(&mut *open)
        .await
        .unwrap();
    let store = bed.store.clone();
    let asked = tokio::spawn(async move { store.has_committed(txn).await });
    test_kit::eventually(
        crate::bed::HOUR,
        "the question waits for the answer",
        || async {
            let waiting = "SELECT count(*) FROM pg_stat_activity \
            WHERE wait_event_type = 'Lock' AND datname = current_database()";
            sqlx::query_scalar::<_, i64>(waiting)
                .fetch_one(bed.postgres())
                .await
                .unwrap()
                == 1
        },
    )
    .await;
    if commits {
        open.commit().await.unwrap();
    } else {
        open.rollback().await.unwrap();
    }
    asked.await.unwrap().unwrap()
}

/// On SQLite there is one writer: whoever asks waits for it, as everybody does.
#[tokio::test]
async fn whoever_asks_for_a_commit_on_its_way_waits_for_how_it_ends() {
    let bed = Bed::new(Engine::Postgres).await;
    assert!(is_found_committed(&bed, new_id(), true).await);
    assert!(!is_found_committed(&bed, new_id(), false).await);
}

async fn a_falsified_row_fails_only_its_own_command(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, None).await;
    let bad = bed.hot_product(2, 10, None).await;
    bed.ask(buy(1, vec![deal_line(hot, 1)])).await;
    bed.by_hand("UPDATE holds SET lines = '[{\"quantity\": \"many\"}]'")
        .await
        .unwrap();
    let unlock = match engine {
        Engine::Postgres => "ALTER TABLE deals DROP CONSTRAINT deals_status_check",
        Engine::Sqlite => "PRAGMA ignore_check_constraints = ON",
    };
    bed.by_hand(unlock).await.unwrap();
    let bad_id = bed.literal(bad.1.0);
    let falsify = format!("UPDATE deals SET status = 'odd' WHERE id = {bad_id}");
    bed.by_hand(&falsify).await.unwrap();
    let bundles = [
        alone(Command::Confirm(order(1))),
        alone(buy(2, vec![gate_line(hot, 1)])),
        alone(buy(3, vec![gate_line(hot, 2), gate_line(bad, 1)])),
        alone(buy(4, vec![deal_line(hot, 1)])),
    ];
    let together = bed.store.commit(new_id(), &bundles).await;
    assert!(
        matches!(together, Err(CommitError::Refused(_))),
        "{together:?}"
    );
    let apart = bed.store.commit_apart(new_id(), &bundles).await.unwrap();
    assert_eq!(apart.outcomes[0], [Outcome::Failed]);
    assert_eq!(apart.outcomes[2], [Outcome::Failed]);
    taken(&apart.outcomes[1][0]);
    taken(&apart.outcomes[3][0]);
    assert_eq!(bed.deal(hot.1).await.sums.held, 3);
}

async fn a_command_that_a_constraint_refuses_fails_alone_and_its_gate_is_owed(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, Some(5)).await;
    bed.ask(buy(1, vec![deal_line(hot, 1)])).await;
    bed.by_hand("UPDATE deal_buyers SET per_user_limit = 1")
        .await
        .unwrap();
    let neighbour = crate::bed::take(order(3), crate::bed::user(8), vec![gate_line(hot, 1)]);
    let bundles = [alone(buy(2, vec![gate_line(hot, 2)])), alone(neighbour)];
    let together = bed.store.commit(new_id(), &bundles).await;
    assert!(
        matches!(together, Err(CommitError::Refused(_))),
        "{together:?}"
    );
    let apart = bed.store.commit_apart(new_id(), &bundles).await.unwrap();
    assert_eq!(apart.outcomes[0], [Outcome::Failed]);
    taken(&apart.outcomes[1][0]);
    let deal = bed.deal(hot.1).await;
    assert_eq!((deal.sums.held, deal.owed), (2, 2));
}

test_kit::on_both_engines! {
    tokio::test: what_is_decided_is_what_the_rows_say,
        promise_6_lines_of_one_order_are_taken_together_or_not_at_all,
        a_refused_request_does_not_fail_its_neighbours,
        a_deal_may_end_and_the_next_begin_in_one_transaction,
        a_gate_batch_is_taken_once,
        a_voided_batch_is_owed_once_and_taken_never,
        a_bundle_with_a_voided_batch_is_owed_what_its_other_gates_took,
        an_unknown_transaction_has_not_committed_however_often_that_is_asked,
        a_committed_transaction_is_found_again,
        a_transaction_that_was_declared_dead_cannot_commit_late,
        a_falsified_row_fails_only_its_own_command,
        a_command_that_a_constraint_refuses_fails_alone_and_its_gate_is_owed;
}
