//! Pause, resume, restock and write-off, through gate and ledger.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt as _};
use metrics_exporter_prometheus::PrometheusBuilder;
use product_service::{
    ledger::{command::Refusal, deal::DealRow},
    stock::StockError,
};
use sql::Engine;
use test_kit::eventually;

use crate::shop::{SOON, Shop, crowd, refusal};

async fn while_a_deal_is_paused_no_replica_sells_and_nothing_is_lost(engine: Engine) {
    for shop in Shop::both(engine).await {
        let replicas = [shop.replica().await, shop.replica().await];
        let product = shop.bed.product(1, 10).await;
        let deal = replicas[0].start(product, None).await;
        // Both know the deal now.
        replicas[0].buy(1, product, 1).await.unwrap();
        replicas[1].buy(2, product, 1).await.unwrap();
        replicas[0].deals.pause(product).await.unwrap();
        for number in 10..30 {
            // The other replica may still ask the gate; what that took is owed.
            for replica in &replicas {
                let refused = refusal(replica.buy(number, product, 1).await);
                assert_eq!(refused, Refusal::DealNotOpen(product));
            }
        }
        assert_eq!(shop.bed.deal(deal).await.sums.available, 8);
        replicas[1].deals.resume(product).await.unwrap();
        if replicas[0].gate.is_some() {
            replicas[0].agrees(product).await;
        }
        for replica in &replicas {
            replica.retry(1, product, 1).await.unwrap();
        }
        let fared = crowd(&replicas, product, 100..130).await;
        assert_eq!(fared.held, 8, "{fared:?}");
    }
}

async fn a_paused_deal_does_not_start_again_and_says_what_to_do(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    replica.start(product, None).await;
    replica.deals.pause(product).await.unwrap();
    let terms = crate::shop::all_of(product);
    let refused = replica.deals.start(terms).await;
    assert_eq!(refusal(refused), Refusal::DealPaused(product));
    // It can be ended all the same.
    let ended = replica.deals.end(product).await.unwrap();
    assert_eq!(ended.shelf_available, 10);
    assert_eq!(
        refusal(replica.deals.resume(product).await),
        Refusal::DealNotOpen(product)
    );
}

async fn promise_1_restock_under_load_sells_exactly_what_there_is(engine: Engine) {
    for shop in Shop::both(engine).await {
        let replicas = [shop.replica().await, shop.replica().await];
        let product = shop.bed.product(1, 40).await;
        let deal = replicas[0].start(product, None).await;
        let restock = async {
            for (n, delta) in [10, -5, 10, -5, 10].into_iter().enumerate() {
                match replicas[n % 2].deals.restock(product, delta).await {
                    Ok(_) => {}
                    Err(StockError::Refused(Refusal::OutOfStock(_))) => assert!(delta < 0),
                    Err(other) => panic!("{other:?}"),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let (fared, ()) = tokio::join!(crowd(&replicas, product, 0..100), restock);
        assert_eq!(fared.other, []);
        // Whoever lost before the last units came may find them now.
        let mut held = fared.held;
        let mut number = 1_000;
        loop {
            let sums = shop.bed.deal(deal).await.sums;
            assert!(sums.is_sound(), "{sums:?}");
            if sums.available == 0 {
                assert_eq!(sums.held, i64::try_from(held).unwrap());
                assert_eq!(sums.held, 70 - sums.written_off, "{sums:?}");
                break;
            }
            held += crowd(&replicas, product, number..number + 10).await.held;
            number += 10;
        }
    }
}

async fn units_added_to_a_sold_out_deal_reach_its_gate(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    let product = shop.bed.product(1, 2).await;
    replicas[0].start(product, None).await;
    replicas[1].buy(1, product, 2).await.unwrap();
    let none = replicas[1].buy(2, product, 1).await;
    assert_eq!(refusal(none), Refusal::OutOfStock(product));
    let restocked = replicas[0].deals.restock(product, 3).await.unwrap();
    assert_eq!((restocked.deal.sums.available, restocked.deal.owed), (3, 3));
    let mut number = 10;
    eventually(SOON, "the gate has them", || {
        number += 1;
        let replica = &replicas[1];
        async move { replica.buy(number, product, 3).await.is_ok() }
    })
    .await;
    replicas[0].agrees(product).await;
}

async fn a_gate_that_is_too_high_after_a_write_off_comes_down_with_each_refusal(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let deal = replica.start(product, None).await;
    let left = replica.deals.restock(product, -7).await.unwrap().deal.sums;
    assert_eq!((left.available, left.written_off), (3, 7));
    let drift = async || replica.deals.live(product).await.unwrap().drift;
    assert_eq!(drift().await, Some(7));
    let mut held = 0;
    for number in 0..10 {
        match replica.retry(number, product, 1).await {
            Ok(_) => held += 1,
            no => assert_eq!(refusal(no), Refusal::OutOfStock(product)),
        }
    }
    assert_eq!(held, 3);
    assert_eq!(shop.bed.deal(deal).await.sums.available, 0);
    replica.agrees(product).await;
    let refused = replica.deals.restock(product, -1).await;
    assert_eq!(refusal(refused), Refusal::OutOfStock(product));
}

async fn only_so_many_watch_at_once_and_who_leaves_makes_room(engine: Engine) {
    const WATCHERS_MAX: usize = 1_024;
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let shop = Shop::without_gate(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let deal = replica.start(product, None).await;
    let watches = replica.deals.watches();
    let mut streams: Vec<Pin<Box<dyn Stream<Item = DealRow> + Send>>> = Vec::new();
    for _ in 0..WATCHERS_MAX {
        streams.push(Box::pin(watches.watch(deal).await.unwrap()));
    }
    let watched = |count: usize| {
        let line = format!("deal_watchers {count}");
        metrics.render().lines().any(|shown| shown == line)
    };
    assert!(watched(WATCHERS_MAX));
    let refused = watches.watch(deal).await.err();
    assert_eq!(refused, Some(StockError::Overloaded));
    drop(streams.pop());
    streams.push(Box::pin(watches.watch(deal).await.unwrap()));
    replica.buy(1, product, 4).await.unwrap();
    for stream in &mut streams {
        let seen = async {
            while let Some(deal) = stream.next().await {
                if deal.sums.held == 4 {
                    return;
                }
            }
            panic!("the stream has ended");
        };
        tokio::time::timeout(SOON, seen).await.unwrap();
    }
    drop(streams);
    assert!(watched(0));
}

test_kit::on_both_engines! {
    tokio::test: while_a_deal_is_paused_no_replica_sells_and_nothing_is_lost,
        only_so_many_watch_at_once_and_who_leaves_makes_room,
        a_paused_deal_does_not_start_again_and_says_what_to_do,
        units_added_to_a_sold_out_deal_reach_its_gate,
        a_gate_that_is_too_high_after_a_write_off_comes_down_with_each_refusal;
    tokio::test(flavor = "multi_thread", worker_threads = 2): promise_1_restock_under_load_sells_exactly_what_there_is;
}
