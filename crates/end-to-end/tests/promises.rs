//! Promises that only the real processes together can show.

use std::collections::BTreeSet;

use end_to_end::{
    Shop, ShopOptions, assert_balanced,
    buyers::{crowd_with_keys, order_at_once},
};

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_one_key_a_hundred_times_at_once_over_two_replicas_is_one_order() {
    let shop = Shop::start(ShopOptions {
        replicas: 2,
        ..ShopOptions::default()
    })
    .await;
    let deal = shop.start_deal(10).await;
    let same = vec![crowd_with_keys(1).remove(0); 100];
    let tally = order_at_once(&shop, &deal.product_id, same, 100, 5).await;
    assert_eq!(tally.accepted.len(), 100, "{:?}", tally.refused);
    let ids = tally.accepted.iter().map(|(_, order)| order["id"].as_str());
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), 1);
    // The gate may be too high for a while: the replica that only passed the order may reach the ledger
    // before the one that took its unit, which the ledger then owes the gate.
    let live = shop.live(&deal.product_id).await;
    assert_balanced(&live);
    assert_eq!((&live["held"], &live["available"]), (&1.into(), &9.into()));
}
