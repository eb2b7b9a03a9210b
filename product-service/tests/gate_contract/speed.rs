//! Admissions a second. The number that counts is that of a release build:
//! `cargo test --release -p product-service --test gate_contract -- --ignored`.

use std::io::Write;

use futures::{StreamExt, stream};
use product_service::gate::Admitted;
use tokio::time::Instant;

use crate::bed::{Bed, batch_id, request};

const CALLS: u128 = 4_000;
const CALL_LEN: u128 = 64;
const CALLS_AT_ONCE: usize = 4;

#[tokio::test]
#[ignore = "a measurement"]
async fn admissions_a_second_on_one_connection() {
    for (what, quantity, limit) in [
        ("admitted", 1 << 40, None),
        ("admitted, with a limit", 1 << 40, Some(5)),
        ("sold out", 0, None),
    ] {
        let bed = Bed::with(quantity, limit).await;
        let begun = Instant::now();
        let calls = stream::iter(0..CALLS).map(async |call| {
            let orders = call * CALL_LEN..(call + 1) * CALL_LEN;
            let requests: Vec<_> = orders.map(|n| request(n << 64, n << 64, 1)).collect();
            let admitted = bed.admit(call, &requests).await.unwrap();
            assert!(matches!(admitted, Admitted::Open { .. }));
            bed.gate.done(bed.product, batch_id(call), &[]);
        });
        calls.buffer_unordered(CALLS_AT_ONCE).collect::<()>().await;
        let requests = f64::from(u32::try_from(CALLS * CALL_LEN).unwrap());
        let a_second = requests / begun.elapsed().as_secs_f64();
        writeln!(std::io::stderr(), "{what}: {a_second:.0} a second").unwrap();
    }
}
