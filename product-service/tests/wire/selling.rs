//! Deals that pause, go on, and get or lose units, over HTTP; and who watches them, over gRPC.

use product_api::{Deal, WatchDealRequest};
use serde_json::{Value, json};
use sql::Engine;
use tonic::{Code, Streaming};

use crate::{
    bed::{Bed, NOBODY, decrease, fields_of, item, reason_of, text},
    schedule::{SOON, plan, terms},
};

async fn tell(bed: &Bed, id: &str, what: &str, body: Option<&Value>) -> (u16, Value) {
    let path = format!("/products/{id}/hotdeal/{what}");
    let answer = bed.http.send("POST".parse().unwrap(), &path, &[], body);
    let (status, body, _) = answer.await.unwrap();
    (status.as_u16(), body)
}

async fn a_paused_deal_sells_nothing_until_it_is_resumed_with_a_gate_or_without(engine: Engine) {
    for gate in ["true", "false"] {
        let bed = Bed::with(engine, &[("HOTDEAL_STOCK_REDIS", gate)]).await;
        let id = bed.product(10, 500).await;
        let deal_id = bed.deal(&id).await;
        let mut grpc = bed.grpc().await;
        let mut messages = Vec::new();
        for _ in 0..2 {
            let (status, paused) = tell(&bed, &id, "pause", None).await;
            assert_eq!(status, 200, "{paused}");
            for (name, value) in [
                ("product_id", json!(id)),
                ("deal_id", json!(deal_id)),
                ("status", json!("paused")),
                ("stock", json!(10)),
            ] {
                assert_eq!(paused[name], value, "{name}");
            }
            messages.push(text(&paused["message"]));
        }
        assert_ne!(messages[0], messages[1]);
        for first_attempt in [true, false] {
            let mut wanted = decrease(1, vec![item(&id, 1)]);
            wanted.first_attempt = first_attempt;
            let refused = grpc.decrease_stock(wanted).await.unwrap_err();
            assert_eq!(reason_of(&refused), "DEAL_NOT_OPEN");
        }
        let (status, problem) = tell(&bed, &id, "start", None).await;
        assert_eq!(
            (status, &problem["error"]),
            (409, &json!("ILLEGAL_TRANSITION"))
        );
        assert!(text(&problem["message"]).contains("resume"), "{problem}");
        for _ in 0..2 {
            let (status, resumed) = tell(&bed, &id, "resume", None).await;
            assert_eq!((status, &resumed["status"]), (200, &json!("running")));
        }
        grpc.decrease_stock(decrease(2, vec![item(&id, 10)]))
            .await
            .unwrap();
    }
}

async fn units_are_added_to_a_deal_and_sold_at_once(engine: Engine) {
    for gate in ["true", "false"] {
        let bed = Bed::with(engine, &[("HOTDEAL_STOCK_REDIS", gate)]).await;
        let id = bed.product(2, 500).await;
        bed.deal(&id).await;
        let mut grpc = bed.grpc().await;
        grpc.decrease_stock(decrease(1, vec![item(&id, 2)]))
            .await
            .unwrap();
        let (status, restocked) = tell(&bed, &id, "restock", Some(&json!({"delta": 3}))).await;
        assert_eq!((status, &restocked["stock"]), (200, &json!(3)));
        // The gate gets what it is owed on its way; a retry does not believe its no.
        test_kit::eventually(SOON, "they are sold", || {
            let mut grpc = grpc.clone();
            let wanted = decrease(2, vec![item(&id, 3)]);
            async move { grpc.decrease_stock(wanted).await.is_ok() }
        })
        .await;
        let live = bed.get(&format!("/products/{id}/hotdeal")).await;
        let figures = ["initial", "restocked", "available", "held"];
        let figures = figures.map(|name| live[name].as_i64().unwrap());
        assert_eq!(figures, [2, 3, 0, 5]);
    }
}

async fn no_more_units_are_written_off_than_are_available(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    bed.deal(&id).await;
    let (status, problem) = tell(&bed, &id, "restock", Some(&json!({"delta": -6}))).await;
    assert_eq!((status, &problem["error"]), (409, &json!("OUT_OF_STOCK")));
    let (status, left) = tell(&bed, &id, "restock", Some(&json!({"delta": -4}))).await;
    assert_eq!((status, &left["stock"]), (200, &json!(1)));
    let live = bed.get(&format!("/products/{id}/hotdeal")).await;
    assert_eq!(
        (&live["available"], &live["written_off"]),
        (&json!(1), &json!(4))
    );
    // The gate is too high now; the ledger decides.
    let mut grpc = bed.grpc().await;
    let mut wanted = decrease(1, vec![item(&id, 2)]);
    wanted.first_attempt = true;
    let refused = grpc.decrease_stock(wanted).await.unwrap_err();
    assert_eq!(reason_of(&refused), "OUT_OF_STOCK");
    grpc.decrease_stock(decrease(2, vec![item(&id, 1)]))
        .await
        .unwrap();
}

async fn a_restock_that_is_not_understood_is_refused_with_its_field(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(5, 500).await;
    bed.deal(&id).await;
    for body in [
        json!({}),
        json!({"delta": 0}),
        json!({"delta": 1_000_000_001}),
        json!({"delta": -1_000_000_001}),
        json!({"delta": 1_u64 << 63}),
        json!({"delta": "1"}),
        json!({"delta": 1.5}),
        json!({"delta": null}),
    ] {
        let (status, problem) = tell(&bed, &id, "restock", Some(&body)).await;
        assert_eq!(
            (status, fields_of(&problem)),
            (422, vec!["delta".to_owned()]),
            "{body}"
        );
    }
    let (status, problem) = tell(
        &bed,
        &id,
        "restock",
        Some(&json!({"delta": 1, "status": "x"})),
    )
    .await;
    assert_eq!(
        (status, fields_of(&problem)),
        (422, vec!["status".to_owned()])
    );
    assert_eq!(
        bed.get(&format!("/products/{id}/hotdeal")).await["restocked"],
        0
    );
}

async fn without_an_open_deal_there_is_nothing_to_pause_resume_or_restock(engine: Engine) {
    let bed = Bed::on(engine).await;
    let (never, scheduled, ended) = (
        bed.product(5, 500).await,
        bed.product(5, 500).await,
        bed.product(5, 500).await,
    );
    plan(&bed, &terms(&scheduled)).await;
    bed.deal(&ended).await;
    tell(&bed, &ended, "end", None).await;
    let restock = json!({"delta": 1});
    for (what, body) in [
        ("pause", None),
        ("resume", None),
        ("restock", Some(&restock)),
    ] {
        for id in [&never, &scheduled, &ended] {
            let (status, problem) = tell(&bed, id, what, body).await;
            assert_eq!(
                (status, &problem["error"]),
                (409, &json!("DEAL_NOT_OPEN")),
                "{what}"
            );
        }
        assert_eq!(tell(&bed, NOBODY, what, body).await.0, 404, "{what}");
    }
}

async fn watch(bed: &Bed, deal_id: &str) -> Streaming<Deal> {
    let request = WatchDealRequest {
        deal_id: deal_id.to_owned(),
    };
    let answer = bed.grpc().await.watch_deal(request).await;
    answer.unwrap().into_inner()
}

/// The next state that is as wanted; `None` at the end of the stream.
async fn next(stream: &mut Streaming<Deal>, is_wanted: impl Fn(&Deal) -> bool) -> Option<Deal> {
    let wanted = async {
        loop {
            match stream.message().await.unwrap() {
                Some(deal) if !is_wanted(&deal) => {}
                found => return found,
            }
        }
    };
    tokio::time::timeout(SOON, wanted).await.unwrap()
}

async fn a_watcher_sees_a_deal_from_its_plan_to_its_end(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let mut asked = terms(&id);
    asked["starts_at"] = json!(crate::schedule::from_now(std::time::Duration::from_secs(2)));
    let planned = plan(&bed, &asked).await;
    let mut stream = watch(&bed, &text(&planned["deal_id"])).await;
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(
        (first.status.as_str(), first.planned, first.initial),
        ("scheduled", 4, 0)
    );
    let running = next(&mut stream, |deal| deal.status == "running").await;
    assert_eq!(running.unwrap().available, 4);
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 3)]))
        .await
        .unwrap();
    let held = next(&mut stream, |deal| deal.held == 3).await;
    assert_eq!(held.unwrap().available, 1);
    tell(&bed, &id, "pause", None).await;
    next(&mut stream, |deal| deal.status == "paused")
        .await
        .unwrap();
    tell(&bed, &id, "end", None).await;
    let ended = next(&mut stream, |deal| deal.status == "ended").await;
    let ended = ended.unwrap();
    assert_eq!((ended.held, ended.returned), (3, 1));
    assert!(ended.ended_at.is_some());
    assert_eq!(next(&mut stream, |_| true).await, None, "the stream ends");
    // One that has ended is told once.
    let mut late = watch(&bed, &ended.deal_id).await;
    assert_eq!(next(&mut late, |_| true).await, Some(ended));
    assert_eq!(next(&mut late, |_| true).await, None);
}

#[tokio::test]
async fn a_watcher_sees_what_another_replica_does() {
    let bed = Bed::start().await;
    let id = bed.product(10, 500).await;
    let deal_id = bed.deal(&id).await;
    let mut stream = watch(&bed, &deal_id).await;
    assert_eq!(stream.message().await.unwrap().unwrap().held, 0);
    let other = Bed::with(
        Engine::Postgres,
        &[
            ("DATABASE_URL", bed.url()),
            ("HOTDEAL_STOCK_REDIS", "false"),
        ],
    )
    .await;
    let mut grpc = other.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 3)]))
        .await
        .unwrap();
    next(&mut stream, |deal| deal.held == 3).await.unwrap();
}

async fn an_unknown_deal_cannot_be_watched(engine: Engine) {
    let bed = Bed::on(engine).await;
    let mut grpc = bed.grpc().await;
    for (deal_id, code) in [
        (NOBODY, Code::NotFound),
        ("x", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let request = WatchDealRequest {
            deal_id: deal_id.to_owned(),
        };
        let refused = grpc.watch_deal(request).await.unwrap_err();
        assert_eq!(refused.code(), code, "{deal_id}");
    }
}

async fn a_stop_ends_the_streams_of_those_who_watch(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(10, 500).await;
    let deal_id = bed.deal(&id).await;
    let mut stream = watch(&bed, &deal_id).await;
    stream.message().await.unwrap().unwrap();
    bed.stop().await;
    assert_eq!(next(&mut stream, |_| true).await, None);
}

test_kit::on_both_engines! {
    tokio::test: a_paused_deal_sells_nothing_until_it_is_resumed_with_a_gate_or_without,
        units_are_added_to_a_deal_and_sold_at_once,
        no_more_units_are_written_off_than_are_available,
        a_restock_that_is_not_understood_is_refused_with_its_field,
        without_an_open_deal_there_is_nothing_to_pause_resume_or_restock,
        a_watcher_sees_a_deal_from_its_plan_to_its_end,
        an_unknown_deal_cannot_be_watched,
        a_stop_ends_the_streams_of_those_who_watch;
}
