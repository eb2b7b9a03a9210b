//! Gates of earlier and later deals.

use product_service::gate::{Admitted, Dropped, Loaded, Raise, Raised, Settled, Verdict};

use crate::bed::{Bed, DEAL, batch_id, request};

#[tokio::test]
async fn a_product_without_a_gate_is_missing_to_every_script() {
    let bed = Bed::new().await;
    let missing = bed.admit(1, &[request(1, 1, 1)]).await.unwrap();
    assert_eq!(missing, Admitted::Missing);
    let settled = bed.gate.settle(bed.product, DEAL, 5).await.unwrap();
    assert_eq!(settled, Settled::Missing);
    assert_eq!(bed.gate.raise(&raise(&bed)).await.unwrap(), Raised::Missing);
    bed.void(1, 5, true).await;
    let dropped = bed.gate.drop_deal(bed.product, DEAL).await.unwrap();
    assert_eq!(dropped, Dropped::Absent);
    assert_eq!(bed.by_hand::<i64>("DBSIZE").await, 0);
}

#[tokio::test]
async fn a_gate_of_an_earlier_deal_counts_as_missing_and_is_replaced_with_all_it_kept() {
    let bed = Bed::new().await;
    bed.load(DEAL - 1, 5, 3, Some(2)).await;
    bed.admit_as(DEAL - 1, 1, request(1, 1, 2)).await;

    let missing = bed.admit(2, &[request(1, 1, 1)]).await.unwrap();
    assert_eq!(missing, Admitted::Missing);
    let settled = bed.gate.settle(bed.product, DEAL, 9).await.unwrap();
    assert_eq!(settled, Settled::Missing);
    assert_eq!(bed.gate.raise(&raise(&bed)).await.unwrap(), Raised::Missing);

    assert_eq!(bed.load(DEAL, 40, 0, None).await, Loaded::Loaded);
    for kind in ["admitted", "buyers", "inflight"] {
        assert!(bed.hash(kind).await.is_empty(), "{kind}");
    }
    assert!(!bed.hash("stock").await.contains_key(&b"per_user_limit"[..]));
    let verdicts = bed.verdicts(3, &[request(1, 1, 3)]).await;
    assert_eq!(verdicts, [Verdict::Admitted]);
    assert_eq!(bed.settle(0).await.quantity, 37);
}

#[tokio::test]
async fn a_caller_with_an_earlier_number_changes_nothing() {
    let bed = Bed::new().await;
    bed.load(DEAL + 1, 5, 0, Some(2)).await;
    bed.admit_as(DEAL + 1, 1, request(1, 1, 2)).await;
    let kinds = ["stock", "admitted", "buyers", "inflight"];
    let mut before = Vec::new();
    for kind in kinds {
        before.push(bed.hash(kind).await);
    }

    let refused = bed.admit(2, &[request(2, 2, 1)]).await.unwrap();
    assert_eq!(refused, Admitted::StaleCaller);
    assert_eq!(bed.load(DEAL, 99, 9, None).await, Loaded::StaleCaller);
    let settled = bed.gate.settle(bed.product, DEAL, 9).await.unwrap();
    assert_eq!(settled, Settled::StaleCaller);
    bed.void(1, 9, true).await;
    let raised = bed.gate.raise(&raise(&bed)).await.unwrap();
    assert_eq!(raised, Raised::StaleCaller);
    let dropped = bed.gate.drop_deal(bed.product, DEAL).await.unwrap();
    assert_eq!(dropped, Dropped::StaleCaller);

    for (kind, before) in kinds.into_iter().zip(before) {
        assert_eq!(bed.hash(kind).await, before, "{kind}");
    }
}

#[tokio::test]
async fn a_second_load_keeps_the_gate_as_it_is() {
    let bed = Bed::with(10, None).await;
    bed.verdicts(1, &[request(1, 1, 4)]).await;
    assert_eq!(bed.load(DEAL, 10, 50, Some(1)).await, Loaded::Kept);
    let figures = bed.settle(0).await;
    assert_eq!((figures.quantity, figures.owed), (6, 0));
}

#[tokio::test]
async fn a_drop_takes_gates_up_to_its_own_number() {
    for number in [DEAL - 1, DEAL] {
        let bed = Bed::new().await;
        bed.load(number, 10, 0, Some(2)).await;
        bed.admit_as(number, 1, request(1, 1, 1)).await;
        let dropped = bed.gate.drop_deal(bed.product, DEAL).await.unwrap();
        assert_eq!(dropped, Dropped::Dropped);
        assert_eq!(bed.by_hand::<i64>("DBSIZE").await, 0);
        let again = bed.gate.drop_deal(bed.product, DEAL).await.unwrap();
        assert_eq!(again, Dropped::Absent);
    }
}

fn raise(bed: &Bed) -> Raise {
    Raise {
        product: bed.product,
        deal_number: DEAL,
        expected_quantity: 4,
        expected_owed: 2,
        quantity: 6,
    }
}

#[tokio::test]
async fn a_gate_as_it_was_read_is_raised() {
    let bed = Bed::new().await;
    bed.load(DEAL, 4, 2, None).await;
    assert_eq!(bed.gate.raise(&raise(&bed)).await.unwrap(), Raised::Raised);
    assert_eq!(bed.settle(2).await.quantity, 6);
    // Done once, it is not as it was read.
    assert_eq!(bed.gate.raise(&raise(&bed)).await.unwrap(), Raised::Changed);
}

#[tokio::test]
async fn a_raise_goes_upwards_only_and_only_from_what_was_read() {
    let bed = Bed::new().await;
    bed.load(DEAL, 4, 2, None).await;
    for other in [
        Raise {
            expected_quantity: 3,
            ..raise(&bed)
        },
        Raise {
            expected_quantity: -4,
            ..raise(&bed)
        },
        Raise {
            expected_owed: 1,
            ..raise(&bed)
        },
        Raise {
            quantity: 4,
            ..raise(&bed)
        },
        Raise {
            quantity: 0,
            ..raise(&bed)
        },
    ] {
        let raised = bed.gate.raise(&other).await.unwrap();
        assert_eq!(raised, Raised::Changed, "{other:?}");
    }
    assert_eq!(bed.settle(2).await.quantity, 4);
}

#[tokio::test]
async fn a_gate_that_a_hand_made_negative_admits_nobody_and_can_be_raised() {
    let bed = Bed::with(5, None).await;
    bed.by_hand::<i64>("HSET hotdeal:stock:{p} quantity -3")
        .await;
    let verdicts = bed.verdicts(1, &[request(1, 1, 1)]).await;
    assert_eq!(verdicts, [Verdict::SoldOut]);
    let raise = Raise {
        expected_quantity: -3,
        expected_owed: 0,
        quantity: 5,
        ..raise(&bed)
    };
    assert_eq!(bed.gate.raise(&raise).await.unwrap(), Raised::Raised);
    assert_eq!(bed.settle(0).await.quantity, 5);
}

#[tokio::test]
async fn products_do_not_meet() {
    let bed = Bed::with(5, None).await;
    let other = domain::ProductId(uuid::Uuid::from_u128(2));
    let requests = [request(1, 1, 1)];
    let missing = bed.gate.admit(other, DEAL, batch_id(1), &requests);
    assert_eq!(missing.await.unwrap(), Admitted::Missing);
    bed.gate.drop_deal(other, DEAL).await.unwrap();
    assert_eq!(bed.settle(0).await.quantity, 5);
}
