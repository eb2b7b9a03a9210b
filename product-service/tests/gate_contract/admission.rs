//! Who is admitted.

use futures::future::join_all;
use product_service::gate::{
    Admission, Admitted,
    Verdict::{self, Limited, Passed, SoldOut, TooFew},
};

use crate::bed::{Bed, number, request};

fn admitted(verdicts: &[Verdict]) -> usize {
    verdicts
        .iter()
        .filter(|&&it| it == Verdict::Admitted)
        .count()
}

#[tokio::test]
async fn a_hundred_buyers_of_ten_units_get_ten() {
    let bed = Bed::with(10, None).await;
    let requests: Vec<_> = (0..100).map(|n| request(n, n, 1)).collect();
    let verdicts = bed.verdicts(1, &requests).await;
    assert_eq!(verdicts[..10], [Verdict::Admitted; 10]);
    assert_eq!(verdicts[10..], [SoldOut; 90]);
    assert_eq!(bed.settle(0).await.quantity, 0);
}

#[tokio::test]
async fn a_hundred_calls_at_once_get_ten_units() {
    let bed = Bed::with(10, None).await;
    let calls = (0..100).map(async |n| bed.verdicts(n, &[request(n, n, 1)]).await);
    let verdicts: Vec<_> = join_all(calls).await.concat();
    assert_eq!(admitted(&verdicts), 10);
    assert_eq!(bed.settle(0).await.in_flight, (10, 10));
}

#[tokio::test]
async fn a_batch_is_one_call_and_so_is_an_empty_one() {
    let bed = Bed::with(10, None).await;
    bed.verdicts(1, &[request(1, 1, 1)]).await;
    let before = bed.redis.command_calls("evalsha").await;
    let requests: Vec<_> = (0..64).map(|n| request(n, n, 1)).collect();
    bed.verdicts(2, &requests).await;
    assert_eq!(bed.redis.command_calls("evalsha").await, before + 1);
    assert_eq!(bed.verdicts(3, &[]).await, []);
}

#[tokio::test]
async fn an_order_admitted_before_passes_and_takes_nothing() {
    let bed = Bed::with(3, None).await;
    assert_eq!(
        bed.verdicts(1, &[request(1, 1, 2)]).await,
        [Verdict::Admitted]
    );
    // Whatever it asks for now, and even when nothing would be left for it.
    for (batch, units) in [(2, 2), (3, 3), (4, 1_000)] {
        assert_eq!(bed.verdicts(batch, &[request(1, 1, units)]).await, [Passed]);
    }
    assert_eq!(bed.settle(0).await.quantity, 1);
    assert_eq!(bed.settle(0).await.in_flight, (4, 2));
}

#[tokio::test]
async fn an_order_twice_in_a_batch_takes_once() {
    let bed = Bed::with(10, None).await;
    let twice = [request(1, 1, 2), request(2, 2, 1), request(1, 1, 2)];
    assert_eq!(
        bed.verdicts(1, &twice).await,
        [Verdict::Admitted, Verdict::Admitted, Passed]
    );
    assert_eq!(bed.settle(0).await.quantity, 7);
    let again = bed.verdicts(2, &twice).await;
    assert_eq!(again, [Passed, Passed, Passed]);
    assert_eq!(bed.settle(0).await.in_flight, (2, 3));
}

#[tokio::test]
async fn too_few_is_not_sold_out_and_does_not_stop_who_asks_for_less() {
    let bed = Bed::with(3, None).await;
    let requests = [request(1, 1, 4), request(2, 2, 3), request(3, 3, 1)];
    assert_eq!(
        bed.admit(1, &requests).await.unwrap(),
        Admitted::Open {
            quantity: 0,
            verdicts: vec![TooFew, Verdict::Admitted, SoldOut],
        }
    );
}

#[tokio::test]
async fn a_buyer_gets_no_more_than_the_limit_over_orders_and_batches() {
    let bed = Bed::with(100, Some(3)).await;
    let requests = [
        request(1, 1, 2),
        request(2, 1, 2),
        request(3, 1, 1),
        request(4, 2, 4),
        request(5, 2, 3),
    ];
    assert_eq!(
        bed.verdicts(1, &requests).await,
        [
            Verdict::Admitted,
            Limited,
            Verdict::Admitted,
            Limited,
            Verdict::Admitted
        ]
    );
    assert_eq!(bed.verdicts(2, &[request(6, 1, 1)]).await, [Limited]);
    assert_eq!(bed.verdicts(3, &[request(1, 1, 2)]).await, [Passed]);
    assert_eq!(bed.settle(0).await.quantity, 94);
    assert_eq!(bed.buyers().await, [(1, 3), (2, 3)].into());
}

#[tokio::test]
async fn a_limit_the_ledger_has_looked_at_is_ignored_but_counted() {
    let bed = Bed::with(100, Some(1)).await;
    let looked_at = Admission {
        ignore_limit: true,
        ..request(2, 1, 5)
    };
    let verdicts = bed.verdicts(1, &[request(1, 1, 1), looked_at]).await;
    assert_eq!(verdicts, [Verdict::Admitted; 2]);
    assert_eq!(bed.buyers().await, [(1, 6)].into());
}

#[tokio::test]
async fn without_a_limit_buyers_are_not_counted() {
    let bed = Bed::with(100, None).await;
    bed.verdicts(1, &[request(1, 1, 50)]).await;
    assert!(bed.buyers().await.is_empty());
}

#[tokio::test]
async fn a_batch_in_which_nobody_gets_in_is_not_in_flight() {
    let bed = Bed::with(0, None).await;
    assert_eq!(bed.verdicts(1, &[request(1, 1, 1)]).await, [SoldOut]);
    assert_eq!(bed.settle(0).await.in_flight, (0, 0));
    assert!(bed.hash("admitted").await.is_empty());
}

#[tokio::test]
async fn ten_thousand_requests_fit_in_one_call() {
    let bed = Bed::with(9_000, Some(1)).await;
    let requests: Vec<_> = (0..10_000).map(|n| request(n, n, 1)).collect();
    assert_eq!(admitted(&bed.verdicts(1, &requests).await), 9_000);
    let again = bed.verdicts(2, &requests).await;
    assert_eq!(again[..9_000], [Passed; 9_000]);
    assert_eq!(bed.hash("admitted").await.len(), 9_000);
    bed.void(2, 9_000, true).await;
    assert!(bed.hash("admitted").await.is_empty());
    assert!(bed.buyers().await.is_empty());
}

#[tokio::test]
async fn the_keys_are_as_the_script_says() {
    let bed = Bed::with(10, Some(4)).await;
    bed.verdicts(5, &[request(1, 2, 3)]).await;
    let id = |n: u128| n.to_be_bytes().to_vec();
    assert_eq!(
        bed.hash("admitted").await,
        [(id(1), [id(5), id(2), b"3".to_vec()].concat())].into()
    );
    let inflight = bed.hash("inflight").await;
    let entry = &inflight[&id(5)];
    let (prefix, orders) = entry.split_at(entry.len() - 16);
    let prefix = String::from_utf8(prefix.to_vec()).unwrap();
    let words: Vec<_> = prefix.split(' ').collect();
    assert_eq!((words[0].len(), &words[1..]), (13, &["3", ""][..]));
    assert_eq!(number(orders), 1);
    let stock = bed.hash("stock").await;
    let expected = [
        ("deal", "7"),
        ("deal_id", "00000000-0000-0000-0000-000000000009"),
        ("owed", "0"),
        ("per_user_limit", "4"),
        ("quantity", "7"),
    ];
    let expected = expected.map(|(field, value)| (field.into(), value.into()));
    assert_eq!(stock, expected.into());
}
