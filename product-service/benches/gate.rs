//! The gate alone: its batches and its script, without the wire before it and the ledger behind it. `make
//! bench ONLY=P2` runs it beside Redis's own benchmark.

use std::{process::ExitCode, sync::Arc};

use bench::{
    child,
    load::{Answer, Caller, closed},
    results::Sample,
};
use domain::{BatchId, DealId, IdSource, OrderId, ProductId, SystemClock, UserId};
use product_service::gate::{Admission, Admitted, Gate, GateLoad, GateOptions, Verdict};
use service_kit::batcher::{Batcher, BatcherOptions, Call};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PRODUCT: ProductId = ProductId(Uuid::from_u128(1));
const DEAL_NUMBER: i64 = 1;
const UNITS: i64 = 1_000_000_000_000;
/// Batches that product-service has under way at once, and requests that may wait.
const BATCHES_AT_ONCE: usize = 4;
const QUEUE_MAX: usize = 8_192;

type Request = Call<Admission, Option<Verdict>>;

fn main() -> ExitCode {
    child::main(measure)
}

async fn measure(task: child::Task) -> bench::Result<Sample> {
    let ids = IdSource::new(Arc::new(SystemClock), [0; 32]);
    let gate = Gate::connect(GateOptions::new(task.url.clone())).await?;
    let load = GateLoad {
        product: PRODUCT,
        deal_id: DealId(Uuid::from_u128(2)),
        deal_number: DEAL_NUMBER,
        quantity: UNITS,
        owed: 0,
        per_user_limit: None,
    };
    gate.load(&load).await?;
    let (queue, worker) = Batcher::new(BatcherOptions {
        name: "gate",
        batch_weight_max: task.batch_max,
        queue_weight_max: QUEUE_MAX,
        key_weight_max: QUEUE_MAX,
        concurrency: BATCHES_AT_ONCE,
    });
    let stop = CancellationToken::new();
    let batch_ids = ids.clone();
    let admitting = gate.clone();
    let running = worker.run(
        move |requests| admit(admitting.clone(), BatchId(batch_ids.next()), requests),
        stop.clone(),
    );
    let running = tokio::spawn(running);
    let caller = |_| Buyer {
        queue: queue.clone(),
        ids: ids.clone(),
    };
    let load = closed((0..task.callers).map(caller).collect(), task.window()).await;
    stop.cancel();
    running.await?;
    bench::committed::nothing_failed(&load.in_all)?;
    if load.in_all.lost > 0 {
        return Err("a gate with units enough has refused".into());
    }
    Ok(Sample::of_load(&load, load.won_per_s()))
}

/// One script call for all that wait, as product-service makes it.
async fn admit(gate: Gate, batch_id: BatchId, requests: Vec<Request>) {
    let asked: Vec<Admission> = requests.iter().map(|call| call.request).collect();
    let verdicts = match gate.admit(PRODUCT, DEAL_NUMBER, batch_id, &asked).await {
        Ok(Admitted::Open { verdicts, .. }) => verdicts.into_iter().map(Some).collect(),
        _ => vec![None; requests.len()],
    };
    // As if the ledger had taken all of them.
    gate.done(PRODUCT, batch_id, &[]);
    for (call, verdict) in requests.into_iter().zip(verdicts) {
        call.answer(verdict);
    }
}

/// Asks for one unit for an order of its own, again and again.
struct Buyer {
    queue: Batcher<ProductId, Request>,
    ids: IdSource,
}

impl Caller for Buyer {
    async fn call(&mut self) -> Answer {
        let (call, reply) = Call::new(
            Admission {
                order_id: OrderId(self.ids.next()),
                user_id: UserId(self.ids.next()),
                units: 1,
                ignore_limit: false,
            },
            None,
        );
        if self.queue.push(PRODUCT, 1, call).is_err() {
            return Answer::Failed("queue".to_owned());
        }
        match reply.await {
            Ok(Some(Verdict::Admitted)) => Answer::Won,
            Ok(Some(_)) => Answer::Lost,
            Ok(None) | Err(_) => Answer::Failed("gate".to_owned()),
        }
    }
}
