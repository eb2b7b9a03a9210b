//! Redis emptied, killed, stopped, full, read-only; keys changed by hand.

use std::time::Duration;

use product_service::gate::{Admitted, Gate, GateError, GateOptions, Loaded, Settled, Verdict};
use test_kit::eventually;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bed::{Bed, DEAL, request};

const PATIENCE: Duration = Duration::from_secs(30);

/// Probes until the guard is dropped.
fn probe(gate: &Gate) -> DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(gate.clone().probe(stop.clone()));
    stop.drop_guard()
}

async fn until_up(gate: &Gate) {
    eventually(PATIENCE, "the gate is up again", async || gate.is_up()).await;
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_loaded_again() {
    let bed = Bed::with(10, None).await;
    bed.by_hand::<()>("SCRIPT FLUSH").await;
    let verdicts = bed.verdicts(1, &[request(1, 1, 1)]).await;
    assert_eq!(verdicts, [Verdict::Admitted]);
    bed.by_hand::<()>("SCRIPT FLUSH").await;
    assert_eq!(bed.settle(2).await.quantity, 11);
    bed.void(1, 3, true).await;
    assert_eq!(bed.settle(3).await.quantity, 12);
}

#[tokio::test]
async fn an_emptied_redis_has_no_gate() {
    let bed = Bed::with(10, None).await;
    bed.by_hand::<()>("FLUSHALL").await;
    let missing = bed.admit(1, &[request(1, 1, 1)]).await.unwrap();
    assert_eq!(missing, Admitted::Missing);
    assert_eq!(bed.load(DEAL, 3, 4, None).await, Loaded::Loaded);
    let verdicts = bed.verdicts(2, &[request(1, 1, 1)]).await;
    assert_eq!(verdicts, [Verdict::Admitted]);
}

#[tokio::test]
async fn a_killed_redis_is_down_until_the_probe_finds_it() {
    let bed = Bed::with(10, None).await;
    bed.redis.kill9();
    let first = bed.admit(1, &[request(1, 1, 1)]).await;
    assert!(
        matches!(first, Err(GateError::Unclear(_) | GateError::Down)),
        "{first:?}"
    );
    assert!(!bed.gate.is_up());

    // Without a probe nobody looks, even though it is back.
    bed.redis.restart_empty().await;
    let second = bed.admit(2, &[request(1, 1, 1)]).await;
    assert!(matches!(second, Err(GateError::Down)), "{second:?}");
    let settled = bed.gate.settle(bed.product, DEAL, 0).await;
    assert!(matches!(settled, Err(GateError::Down)), "{settled:?}");
    let many = bed.gate.settle_many(&[(bed.product, DEAL, 0)]).await;
    assert!(matches!(many[..], [Err(GateError::Down)]), "{many:?}");
    assert_eq!(bed.redis.command_calls("evalsha").await, 0);

    let _probing = probe(&bed.gate);
    until_up(&bed.gate).await;
    let missing = bed.admit(3, &[request(1, 1, 1)]).await.unwrap();
    assert_eq!(missing, Admitted::Missing);
    assert_eq!(bed.load(DEAL, 5, 0, None).await, Loaded::Loaded);
}

#[tokio::test]
async fn the_probe_notices_a_killed_redis_by_itself() {
    let bed = Bed::with(10, None).await;
    let _probing = probe(&bed.gate);
    bed.redis.kill9();
    eventually(PATIENCE, "the gate is down", async || !bed.gate.is_up()).await;
}

#[tokio::test]
async fn a_gate_connects_to_a_redis_that_comes_later() {
    let bed = Bed::new().await;
    bed.redis.kill9();
    let gate = Gate::connect(GateOptions::new(bed.redis.url()))
        .await
        .unwrap();
    assert!(!gate.is_up());
    let _probing = probe(&gate);
    bed.redis.restart_empty().await;
    until_up(&gate).await;
    let settled = gate.settle(bed.product, DEAL, 0).await.unwrap();
    assert_eq!(settled, Settled::Missing);
}

#[tokio::test]
async fn a_url_that_cannot_be_understood_is_an_error_that_does_not_repeat_it() {
    let error = Gate::connect(GateOptions::new("http://:secret@["))
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    let options = GateOptions::new("redis://:secret@127.0.0.1/");
    assert!(!format!("{options:?}").contains("secret"));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unclear_and_may_have_been_carried_out() {
    let bed = Bed::answering_within(Duration::from_millis(100)).await;
    bed.load(DEAL, 10, 0, None).await;
    // Redis knows the script from now on.
    bed.verdicts(0, &[]).await;
    bed.redis.pause();
    let first = bed.admit(1, &[request(1, 1, 1)]).await;
    assert!(matches!(first, Err(GateError::Unclear(_))), "{first:?}");
    assert!(!bed.gate.is_up());
    let second = bed.admit(2, &[request(2, 2, 1)]).await;
    assert!(matches!(second, Err(GateError::Down)), "{second:?}");
    bed.redis.resume();

    let patient = Gate::connect(GateOptions {
        response_timeout: PATIENCE,
        ..GateOptions::new(bed.redis.url())
    });
    let patient = patient.await.unwrap();
    eventually(PATIENCE, "the batch is in flight", async || {
        let settled = patient.settle(bed.product, DEAL, 0).await.unwrap();
        matches!(
            settled,
            Settled::Open {
                quantity: 9,
                in_flight_batches: 1,
                ..
            }
        )
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_refuses_to_write_is_down_and_has_done_nothing() {
    for (refuse, allow) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ] {
        let bed = Bed::with(10, Some(1)).await;
        bed.verdicts(1, &[request(1, 1, 1)]).await;
        bed.by_hand::<()>(refuse).await;
        let refused = bed.admit(2, &[request(2, 2, 1)]).await;
        assert!(matches!(refused, Err(GateError::Down)), "{refused:?}");
        assert!(!bed.gate.is_up());

        bed.by_hand::<()>(allow).await;
        let _probing = probe(&bed.gate);
        until_up(&bed.gate).await;
        let figures = bed.settle(0).await;
        assert_eq!((figures.quantity, figures.in_flight), (9, (1, 1)));
        assert_eq!(bed.buyers().await, [(1, 1)].into());
    }
}

#[tokio::test]
async fn a_key_of_a_wrong_type_is_an_error_with_nothing_done() {
    for kind in ["stock", "admitted", "buyers", "inflight"] {
        let bed = Bed::with(10, Some(5)).await;
        let key = bed.key(kind);
        bed.by_hand::<()>(&format!("SET {key} x")).await;
        let outcome = bed.admit(1, &[request(1, 1, 1)]).await;
        assert!(
            matches!(outcome, Err(GateError::Protocol(_))),
            "{kind}: {outcome:?}"
        );
        assert!(bed.gate.is_up(), "Redis itself is well");
        for other in ["admitted", "buyers", "inflight"] {
            if other != kind {
                assert!(bed.hash(other).await.is_empty(), "{kind}: {other}");
            }
        }
        if kind != "stock" {
            assert_eq!(bed.hash("stock").await[&b"quantity"[..]], b"10", "{kind}");
        }
        let settled = bed.gate.settle(bed.product, DEAL, 3).await;
        let fails = matches!(settled, Err(GateError::Protocol(_)));
        assert_eq!(
            fails,
            ["stock", "inflight"].contains(&kind),
            "{kind}: {settled:?}"
        );
        let many = bed.gate.settle_many(&[(bed.product, DEAL, 3)]).await;
        assert_eq!(many[0].is_err(), fails, "{kind}: {many:?}");
        let stale = bed.gate.stale_batches(bed.product, Duration::ZERO).await;
        assert_eq!(stale.is_err(), fails, "{kind}: {stale:?}");
    }
}

#[tokio::test]
async fn a_figure_that_is_no_whole_number_is_an_error_with_nothing_done() {
    for (field, value) in [
        ("quantity", "x"),
        ("quantity", "1.5"),
        ("quantity", "0x10"),
        ("quantity", "1e3"),
        ("quantity", "nan"),
        ("quantity", ""),
        ("quantity", "99999999999999999999"),
        ("deal", "seven"),
        ("owed", "x"),
        ("owed", "1.5"),
        ("per_user_limit", "many"),
    ] {
        let bed = Bed::with(10, None).await;
        bed.by_hand::<i64>(&format!("HSET hotdeal:stock:{{p}} {field} {value}"))
            .await;
        let outcome = bed.admit(1, &[request(1, 1, 1)]).await;
        assert!(
            matches!(outcome, Err(GateError::Protocol(_))),
            "{field} {value}: {outcome:?}"
        );
        assert!(bed.hash("admitted").await.is_empty());
        assert!(bed.hash("inflight").await.is_empty());
        assert_eq!(bed.hash("stock").await[field.as_bytes()], value.as_bytes());
    }
    for field in ["quantity", "owed"] {
        let bed = Bed::with(10, None).await;
        bed.by_hand::<i64>(&format!("HDEL hotdeal:stock:{{p}} {field}"))
            .await;
        let outcome = bed.admit(1, &[request(1, 1, 1)]).await;
        assert!(
            matches!(outcome, Err(GateError::Protocol(_))),
            "{field}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_wipe_takes_whatever_stands_in_a_gate_s_place() {
    for kind in ["stock", "admitted", "buyers", "inflight"] {
        let bed = Bed::with(10, Some(1)).await;
        bed.verdicts(1, &[request(1, 1, 1)]).await;
        bed.by_hand::<()>(&format!("SET {} x", bed.key(kind))).await;
        bed.by_hand::<()>("SET other 1").await;
        bed.gate.wipe(bed.product).await.unwrap();
        bed.gate.wipe(bed.product).await.unwrap();
        assert_eq!(bed.by_hand::<i64>("DBSIZE").await, 1, "{kind}");
        assert_eq!(bed.load(DEAL, 3, 0, None).await, Loaded::Loaded);
    }
}

#[tokio::test]
async fn figures_that_the_gate_cannot_hold_are_not_sent() {
    let bed = Bed::with(10, None).await;
    let before = bed.redis.command_calls("evalsha").await;
    for owed in [-1, 1 << 53, i64::MAX] {
        let settled = bed.gate.settle(bed.product, DEAL, owed).await;
        assert!(
            matches!(settled, Err(GateError::Protocol(_))),
            "{owed}: {settled:?}"
        );
    }
    for units in [0, -1, 1 << 31, i64::MAX] {
        let outcome = bed.admit(1, &[request(1, 1, units)]).await;
        assert!(
            matches!(outcome, Err(GateError::Protocol(_))),
            "{units}: {outcome:?}"
        );
    }
    assert_eq!(bed.redis.command_calls("evalsha").await, before);
    assert_eq!(bed.settle((1 << 53) - 11).await.quantity, (1 << 53) - 1);
}

#[tokio::test]
async fn settings_are_looked_at_without_harm() {
    let bed = Bed::new().await;
    bed.by_hand::<()>("CONFIG SET maxmemory-policy allkeys-lru")
        .await;
    bed.gate.warn_about_settings().await;
    assert!(bed.gate.is_up());
    bed.redis.kill9();
    bed.gate.warn_about_settings().await;
}
