//! What the gate is handed, and batches that are done, stale or void.

use std::time::Duration;

use domain::ProductId;
use product_service::gate::{GateError, STALE_AFTER, Settled, StaleBatch, Verdict};
use uuid::Uuid;

use crate::bed::{Bed, DEAL, Figures, batch_id, order_id, request};

#[tokio::test]
async fn owed_units_are_added_once_however_often_late_or_out_of_order() {
    let bed = Bed::with(10, None).await;
    for (owed, quantity, seen) in [(5, 15, 5), (5, 15, 5), (3, 15, 5), (9, 19, 9), (0, 19, 9)] {
        let expected = Figures {
            quantity,
            owed: seen,
            in_flight: (0, 0),
        };
        assert_eq!(bed.settle(owed).await, expected);
    }
}

#[tokio::test]
async fn a_load_has_seen_what_was_owed_then() {
    let bed = Bed::new().await;
    bed.load(DEAL, 10, 8, None).await;
    assert_eq!(bed.settle(8).await.quantity, 10);
    assert_eq!(bed.settle(9).await.quantity, 11);
}

#[tokio::test]
async fn done_batches_leave_the_list_with_the_next_admission_or_settlement() {
    let bed = Bed::with(10, None).await;
    for n in 1..=3 {
        bed.verdicts(n, &[request(n, n, 1)]).await;
    }
    bed.gate.done(bed.product, batch_id(1), &[]);
    bed.gate.done(bed.product, batch_id(2), &[]);
    assert_eq!(bed.hash("inflight").await.len(), 3);
    bed.verdicts(4, &[request(9, 9, 99)]).await;
    assert_eq!(bed.hash("inflight").await.len(), 1);
    bed.gate.done(bed.product, batch_id(3), &[]);
    assert_eq!(bed.settle(0).await.in_flight, (0, 0));
    assert!(bed.hash("inflight").await.is_empty());
    // Their admissions stay.
    let verdicts = bed.verdicts(5, &[request(1, 1, 1)]).await;
    assert_eq!(verdicts, [Verdict::Passed]);
}

#[tokio::test]
async fn orders_the_ledger_did_not_take_lose_their_admissions_and_are_not_counted() {
    let bed = Bed::with(10, Some(3)).await;
    let both = [request(1, 1, 2), request(2, 2, 3)];
    bed.verdicts(1, &both).await;
    // Told twice, and of an order that the gate knows nothing of.
    let not_taken = [2, 2, 99].map(order_id);
    bed.gate.done(bed.product, batch_id(1), &not_taken);
    bed.gate.done(bed.product, batch_id(1), &not_taken);
    let expected = Figures {
        quantity: 8,
        owed: 3,
        in_flight: (0, 0),
    };
    assert_eq!(bed.settle(3).await, expected);
    assert_eq!(bed.buyers().await, [(1, 2)].into());
    let again = bed.verdicts(2, &both).await;
    assert_eq!(again, [Verdict::Passed, Verdict::Admitted]);

    // With an admission they go before it, so that the very same orders take again.
    bed.gate
        .done(bed.product, batch_id(2), &[1, 2].map(order_id));
    let again = bed.verdicts(3, &both).await;
    assert_eq!(again, [Verdict::Admitted, Verdict::Admitted]);
    assert_eq!(bed.buyers().await, [(1, 2), (2, 3)].into());
    assert_eq!(bed.settle(3).await.quantity, 0);
}

#[tokio::test]
async fn an_order_that_a_later_batch_has_passed_keeps_its_admission() {
    let bed = Bed::with(10, Some(3)).await;
    bed.verdicts(1, &[request(1, 1, 2)]).await;
    let passed = bed.verdicts(2, &[request(1, 1, 2)]).await;
    assert_eq!(passed, [Verdict::Passed]);
    bed.gate.done(bed.product, batch_id(1), &[order_id(1)]);
    let passed = bed.verdicts(3, &[request(1, 1, 2)]).await;
    assert_eq!(passed, [Verdict::Passed]);
    assert_eq!(bed.buyers().await, [(1, 2)].into());
}

#[tokio::test]
async fn promise_7_twenty_thousand_orders_the_ledger_refused_leave_no_admission_behind() {
    const BATCHES: u128 = 40;
    const ORDERS_OF_A_BATCH: u128 = 500;
    let bed = Bed::with(20_000, Some(1)).await;
    for batch in 0..BATCHES {
        let orders = batch * ORDERS_OF_A_BATCH..(batch + 1) * ORDERS_OF_A_BATCH;
        let requests: Vec<_> = orders.clone().map(|n| request(n, n, 1)).collect();
        let verdicts = bed.verdicts(batch, &requests).await;
        assert!(verdicts.iter().all(|one| *one == Verdict::Admitted));
        let refused: Vec<_> = orders.map(order_id).collect();
        bed.gate.done(bed.product, batch_id(batch), &refused);
    }
    assert_eq!(bed.settle(20_000).await.quantity, 20_000);
    for kind in ["admitted", "buyers", "inflight"] {
        assert!(bed.hash(kind).await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn batches_in_flight_that_cannot_be_read_are_dropped_by_the_next_settlement() {
    let bed = Bed::with(10, None).await;
    bed.verdicts(1, &[request(1, 1, 2)]).await;
    bed.by_hand::<i64>("HSET hotdeal:inflight:{p} x y").await;
    bed.by_hand::<i64>("HSET hotdeal:inflight:{p} short 17")
        .await;
    for (batch, prefix) in [(2, ""), (3, "x 2 "), (4, "99999999999999999999 1 ")] {
        backdate(&bed, batch, prefix).await;
    }
    // Whoever looks first is not stopped by them.
    let stale = bed.gate.stale_batches(bed.product, STALE_AFTER);
    assert_eq!(stale.await.unwrap(), []);
    bed.void(3, 0, true).await;
    let expected = Figures {
        quantity: 12,
        owed: 4,
        in_flight: (1, 2),
    };
    assert_eq!(bed.settle(4).await, expected);
    assert_eq!(bed.hash("inflight").await.len(), 1);
}

#[tokio::test]
async fn an_admission_or_a_count_that_cannot_be_read_does_not_keep_a_batch_from_being_void() {
    let bed = Bed::with(10, Some(5)).await;
    bed.verdicts(1, &[request(1, 1, 2), request(2, 2, 2)]).await;
    let mut garbled = batch_id(1).0.as_bytes().to_vec();
    garbled.extend(1_u128.to_be_bytes());
    garbled.push(b'x');
    let mut connection = bed.redis.connection().await;
    for (kind, field, value) in [
        ("admitted", 1_u128, garbled.as_slice()),
        ("buyers", 2, b"x"),
    ] {
        let () = redis::cmd("HSET")
            .arg(bed.key(kind))
            .arg(&field.to_be_bytes())
            .arg(value)
            .query_async(&mut connection)
            .await
            .unwrap();
    }
    bed.void(1, 4, true).await;
    assert!(bed.hash("admitted").await.is_empty());
    assert_eq!(bed.buyers().await, [(1, 2)].into());
    assert_eq!(bed.settle(4).await.quantity, 10);
}

#[tokio::test]
async fn a_void_batch_loses_its_admissions_and_gets_its_units_back() {
    let bed = Bed::with(10, Some(3)).await;
    bed.verdicts(1, &[request(1, 1, 2), request(2, 2, 3)]).await;
    bed.verdicts(2, &[request(3, 1, 1)]).await;
    // The ledger recorded batch 1 as void: its five units are owed now.
    bed.void(1, 5, true).await;
    bed.void(1, 5, true).await;
    let expected = Figures {
        quantity: 9,
        owed: 5,
        in_flight: (1, 1),
    };
    assert_eq!(bed.settle(5).await, expected);
    assert_eq!(bed.buyers().await, [(1, 1)].into());
    let again = [request(1, 1, 2), request(2, 2, 3), request(3, 1, 1)];
    assert_eq!(
        bed.verdicts(3, &again).await,
        [Verdict::Admitted, Verdict::Admitted, Verdict::Passed]
    );
}

#[tokio::test]
async fn a_batch_the_ledger_took_keeps_its_admissions() {
    let bed = Bed::with(10, Some(3)).await;
    bed.verdicts(1, &[request(1, 1, 2)]).await;
    bed.void(1, 0, false).await;
    let expected = Figures {
        quantity: 8,
        owed: 0,
        in_flight: (0, 0),
    };
    assert_eq!(bed.settle(0).await, expected);
    assert_eq!(bed.buyers().await, [(1, 2)].into());
    let verdicts = bed.verdicts(2, &[request(1, 1, 2)]).await;
    assert_eq!(verdicts, [Verdict::Passed]);
}

#[tokio::test]
async fn a_restamped_admission_outlives_the_batch_that_made_it() {
    let bed = Bed::with(10, Some(5)).await;
    bed.verdicts(1, &[request(1, 1, 2), request(2, 2, 1)]).await;
    let passed = bed.verdicts(2, &[request(1, 1, 2)]).await;
    assert_eq!(passed, [Verdict::Passed]);
    bed.void(1, 3, true).await;
    assert_eq!(bed.hash("admitted").await.len(), 1);
    assert_eq!(bed.buyers().await, [(1, 2)].into());
    // It goes with the batch that carries it, by what it took in the first place.
    bed.void(2, 3, true).await;
    assert!(bed.hash("admitted").await.is_empty());
    assert!(bed.buyers().await.is_empty());
    assert_eq!(bed.settle(3).await.quantity, 10);
}

#[tokio::test]
async fn an_unknown_batch_is_void_without_harm() {
    let bed = Bed::with(10, None).await;
    bed.verdicts(1, &[request(1, 1, 2)]).await;
    bed.void(99, 4, true).await;
    let expected = Figures {
        quantity: 12,
        owed: 4,
        in_flight: (1, 2),
    };
    assert_eq!(bed.settle(4).await, expected);
}

#[tokio::test]
async fn a_batch_is_stale_by_the_clock_of_redis() {
    let bed = Bed::with(10, None).await;
    bed.verdicts(1, &[request(1, 1, 2)]).await;
    bed.verdicts(2, &[request(2, 2, 3)]).await;
    let stale = bed
        .gate
        .stale_batches(bed.product, Duration::from_secs(600));
    assert_eq!(stale.await.unwrap(), []);

    // One long past, and one ahead of the clock as after a failover.
    backdate(&bed, 1, "1600000000000 2 ").await;
    backdate(&bed, 2, "2600000000000 3 ").await;
    let mut stale = bed
        .gate
        .stale_batches(bed.product, STALE_AFTER)
        .await
        .unwrap();
    stale.sort_by_key(|batch| batch.batch_id);
    let expected = [(1, 2), (2, 3)].map(|(batch, units)| StaleBatch {
        batch_id: batch_id(batch),
        units,
        deal_number: DEAL,
    });
    assert_eq!(stale, expected);
    let settled = bed.gate.settle(bed.product, DEAL, 0).await.unwrap();
    assert!(
        matches!(
            settled,
            Settled::Open {
                stale_batches: 2,
                ..
            }
        ),
        "{settled:?}"
    );
}

async fn backdate(bed: &Bed, batch: u128, prefix: &str) {
    let mut entry = prefix.as_bytes().to_vec();
    entry.extend(batch.to_be_bytes());
    let () = redis::cmd("HSET")
        .arg(bed.key("inflight"))
        .arg(&batch.to_be_bytes())
        .arg(entry)
        .query_async(&mut bed.redis.connection().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_gate_has_no_stale_batches() {
    let bed = Bed::new().await;
    let stale = bed.gate.stale_batches(bed.product, Duration::ZERO);
    assert_eq!(stale.await.unwrap(), []);
}

#[tokio::test]
async fn many_deals_are_settled_each_by_itself() {
    let bed = Bed::with(10, None).await;
    bed.by_hand::<()>("SCRIPT FLUSH").await;
    let other = |n| ProductId(Uuid::from_u128(n));
    let mut deals: Vec<_> = (1_000..2_000).map(|n| (other(n), DEAL, 1)).collect();
    deals[3] = (bed.product, DEAL, 4);
    deals[300] = (bed.product, DEAL - 1, 9);
    deals[301] = (bed.product, DEAL, -1);
    deals[999] = (bed.product, DEAL, 6);
    let before = bed.redis.command_calls("evalsha").await;
    let outcomes = bed.gate.settle_many(&deals).await;
    assert_eq!(bed.redis.command_calls("evalsha").await, before + 999);
    assert_eq!(outcomes.len(), 1_000);
    for (index, outcome) in outcomes.iter().enumerate() {
        match (index, outcome) {
            (
                3,
                Ok(Settled::Open {
                    quantity: 14,
                    owed: 4,
                    ..
                }),
            )
            | (
                999,
                Ok(Settled::Open {
                    quantity: 16,
                    owed: 6,
                    ..
                }),
            )
            | (300, Ok(Settled::StaleCaller))
            | (301, Err(GateError::Protocol(_))) => {}
            (3 | 300 | 301 | 999, other) => panic!("{index}: {other:?}"),
            (_, other) => assert!(matches!(other, Ok(Settled::Missing)), "{index}: {other:?}"),
        }
    }
}
