//! Random histories: the gate answers and stores what the model does.

use product_service::gate::{
    Admission, Admitted, Dropped, GateLoad, Loaded, Raise, Raised, Settled,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::bed::{Bed, batch_id, digits, number, order_id, request};
use crate::model::{Ask, Model};

#[derive(Debug, Clone)]
enum Step {
    Load {
        quantity: i64,
        owed: i64,
        limit: Option<i64>,
    },
    Admit {
        requests: Vec<Ask>,
    },
    Done {
        batch: u128,
        not_taken: Vec<u128>,
    },
    Settle {
        owed: i64,
    },
    Void {
        batch: u128,
        owed: i64,
        was_void: bool,
    },
    Raise {
        quantity_off: i64,
        owed_off: i64,
        by: i64,
    },
    Drop,
}

/// Batches are numbered by the step that begins them; a step names one by how many steps ago that was.
fn numbered((index, (caller, mut step)): (u128, (i64, Step))) -> (u128, i64, Step) {
    if let Step::Void { batch, .. } | Step::Done { batch, .. } = &mut step {
        *batch = index.saturating_sub(*batch);
    }
    (index, caller, step)
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let ask = (0..8_u128, 0..3_u128, 1..4_i64, prop::bool::weighted(0.2)).prop_map(
        |(order, user, units, ignore_limit)| Ask {
            order,
            user,
            units,
            ignore_limit,
        },
    );
    let load =
        (0..12_i64, 0..5_i64, prop::option::of(1..6_i64)).prop_map(|(quantity, owed, limit)| {
            Step::Load {
                quantity,
                owed,
                limit,
            }
        });
    let void =
        (1..9_u128, 0..20_i64, any::<bool>()).prop_map(|(batch, owed, was_void)| Step::Void {
            batch,
            owed,
            was_void,
        });
    let raise =
        (-1..2_i64, -1..2_i64, -1..4_i64).prop_map(|(quantity_off, owed_off, by)| Step::Raise {
            quantity_off,
            owed_off,
            by,
        });
    let step = prop_oneof![
        2 => load,
        8 => prop::collection::vec(ask, 0..6).prop_map(|requests| Step::Admit { requests }),
        4 => (1..9_u128, prop::collection::vec(0..8_u128, 0..5))
            .prop_map(|(batch, not_taken)| Step::Done { batch, not_taken }),
        2 => (0..20_i64).prop_map(|owed| Step::Settle { owed }),
        5 => void,
        1 => raise,
        1 => Just(Step::Drop),
    ];
    // Most callers know the deal that runs.
    (
        prop_oneof![1 => Just(1_i64), 10 => Just(2), 1 => Just(3)],
        step,
    )
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Admitted(Admitted),
    Settled(Settled),
    Loaded(Loaded),
    Dropped(Dropped),
    Raised(Raised),
    Nothing,
}

/// What the model answers.
fn foresee(
    gate: &mut Option<Model>,
    told: &mut Vec<(u128, Vec<u128>)>,
    batch: u128,
    caller: i64,
    step: &Step,
) -> Answer {
    let stale = gate.as_ref().is_some_and(|gate| gate.deal > caller);
    let open = gate.as_mut().filter(|gate| gate.deal == caller);
    let tells = matches!(step, Step::Admit { .. } | Step::Settle { .. });
    let done = if tells {
        std::mem::take(told)
    } else {
        Vec::new()
    };
    match (step, open) {
        (Step::Done { batch, not_taken }, _) => {
            told.push((*batch, not_taken.clone()));
            Answer::Nothing
        }
        (Step::Load { .. }, _) if stale => Answer::Loaded(Loaded::StaleCaller),
        (Step::Load { .. }, Some(_)) => Answer::Loaded(Loaded::Kept),
        (
            &Step::Load {
                quantity,
                owed,
                limit,
            },
            None,
        ) => {
            *gate = Some(Model {
                deal: caller,
                quantity,
                owed,
                limit,
                ..Model::default()
            });
            Answer::Loaded(Loaded::Loaded)
        }
        (Step::Drop, _) if stale => Answer::Dropped(Dropped::StaleCaller),
        (Step::Drop, _) => match gate.take() {
            Some(_) => Answer::Dropped(Dropped::Dropped),
            None => Answer::Dropped(Dropped::Absent),
        },
        (Step::Admit { requests }, Some(gate)) => {
            gate.finish(&done);
            let verdicts = gate.admit(batch, requests);
            Answer::Admitted(Admitted::Open {
                quantity: gate.quantity,
                verdicts,
            })
        }
        (Step::Settle { owed }, Some(gate)) => {
            gate.finish(&done);
            gate.hand_over(*owed);
            Answer::Settled(Settled::Open {
                quantity: gate.quantity,
                owed: gate.owed,
                in_flight_batches: i64::try_from(gate.inflight.len()).unwrap(),
                in_flight_units: gate.inflight.values().map(|(units, _)| units).sum(),
                stale_batches: 0,
            })
        }
        (
            &Step::Void {
                batch,
                owed,
                was_void,
            },
            open,
        ) => {
            if let Some(gate) = open {
                gate.void(batch, owed, was_void);
            }
            Answer::Nothing
        }
        (
            &Step::Raise {
                quantity_off,
                owed_off,
                by,
            },
            Some(gate),
        ) => {
            let as_read = (quantity_off, owed_off) == (0, 0);
            // The gate is asked to hold `max(0, …)`, and nobody has owed less than nothing.
            if as_read && by > 0 {
                gate.quantity += by;
                return Answer::Raised(Raised::Raised);
            }
            Answer::Raised(Raised::Changed)
        }
        (Step::Admit { .. }, None) if stale => Answer::Admitted(Admitted::StaleCaller),
        (Step::Admit { .. }, None) => Answer::Admitted(Admitted::Missing),
        (Step::Settle { .. }, None) if stale => Answer::Settled(Settled::StaleCaller),
        (Step::Settle { .. }, None) => Answer::Settled(Settled::Missing),
        (Step::Raise { .. }, None) if stale => Answer::Raised(Raised::StaleCaller),
        (Step::Raise { .. }, None) => Answer::Raised(Raised::Missing),
    }
}

/// What the gate answers.
async fn ask(bed: &Bed, read: Option<&Model>, batch: u128, caller: i64, step: &Step) -> Answer {
    let (gate, product) = (&bed.gate, bed.product);
    match *step {
        Step::Load {
            quantity,
            owed,
            limit,
        } => {
            let load = GateLoad {
                product,
                deal_id: domain::DealId(uuid::Uuid::nil()),
                deal_number: caller,
                quantity,
                owed,
                per_user_limit: limit,
            };
            Answer::Loaded(gate.load(&load).await.unwrap())
        }
        Step::Admit { ref requests } => {
            let requests: Vec<_> = requests
                .iter()
                .map(|ask| Admission {
                    ignore_limit: ask.ignore_limit,
                    ..request(ask.order, ask.user, ask.units)
                })
                .collect();
            let admitted = gate
                .admit(product, caller, batch_id(batch), &requests)
                .await;
            Answer::Admitted(admitted.unwrap())
        }
        Step::Done {
            batch,
            ref not_taken,
        } => {
            let orders: Vec<_> = not_taken.iter().map(|&order| order_id(order)).collect();
            gate.done(product, batch_id(batch), &orders);
            Answer::Nothing
        }
        Step::Settle { owed } => {
            let mut settled = gate.settle(product, caller, owed).await.unwrap();
            // A slow machine may find a batch old.
            if let Settled::Open { stale_batches, .. } = &mut settled {
                *stale_batches = 0;
            }
            Answer::Settled(settled)
        }
        Step::Void {
            batch,
            owed,
            was_void,
        } => {
            let voided = gate.void(product, caller, batch_id(batch), owed, was_void);
            voided.await.unwrap();
            Answer::Nothing
        }
        Step::Raise {
            quantity_off,
            owed_off,
            by,
        } => {
            let (quantity, owed) = read.map_or((0, 0), |read| (read.quantity, read.owed));
            let raise = Raise {
                product,
                deal_number: caller,
                expected_quantity: quantity + quantity_off,
                // One more than it is where one less would be negative: wrong either way.
                expected_owed: if owed + owed_off < 0 {
                    1
                } else {
                    owed + owed_off
                },
                quantity: (quantity + by).max(0),
            };
            Answer::Raised(gate.raise(&raise).await.unwrap())
        }
        Step::Drop => Answer::Dropped(gate.drop_deal(product, caller).await.unwrap()),
    }
}

/// The keys in Redis, as a model.
async fn stored(bed: &Bed) -> Option<Model> {
    let stock = bed.hash("stock").await;
    let field = |name: &str| stock.get(name.as_bytes()).map(|value| digits(value));
    let admitted = bed.hash("admitted").await.into_iter().map(|(order, it)| {
        let admission = (number(&it[..16]), number(&it[16..32]), digits(&it[32..]));
        (number(&order), admission)
    });
    let inflight = bed
        .hash("inflight")
        .await
        .into_iter()
        .map(|(batch, entry)| {
            let words: Vec<_> = entry.splitn(3, |&byte| byte == b' ').collect();
            let orders = words[2].chunks(16).map(number).collect();
            (number(&batch), (digits(words[1]), orders))
        });
    let model = Model {
        deal: field("deal").unwrap_or(0),
        quantity: field("quantity").unwrap_or(0),
        owed: field("owed").unwrap_or(0),
        limit: field("per_user_limit"),
        admitted: admitted.collect(),
        buyers: bed.buyers().await,
        inflight: inflight.collect(),
    };
    if stock.is_empty() {
        assert_eq!(model, Model::default(), "no stock, no other key");
        return None;
    }
    Some(model)
}

#[test]
fn random_histories_answer_and_store_what_the_model_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bed = runtime.block_on(Bed::new());
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    });
    let histories = prop::collection::vec(step(), 1..40);
    let outcome = runner.run(&histories, |history| {
        runtime.block_on(async {
            bed.by_hand::<()>("FLUSHALL").await;
            let gate = &mut None;
            let told = &mut Vec::new();
            for (batch, caller, step) in (0..).zip(history).map(numbered) {
                let read = gate.clone();
                let foreseen = foresee(gate, told, batch, caller, &step);
                let answer = ask(&bed, read.as_ref(), batch, caller, &step).await;
                prop_assert_eq!(&answer, &foreseen, "answer to {:?}", step);
                prop_assert_eq!(&stored(&bed).await, &*gate, "keys after {:?}", step);
            }
            // What was not told to this history's gate must not be told to the next one's.
            let _ = bed.gate.settle(bed.product, 9, 0).await;
            Ok(())
        })
    });
    outcome.unwrap();
}
