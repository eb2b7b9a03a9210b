//! The ledger alone: its queue, its worker and its transactions over one deal, without wire and gate. `make
//! bench ONLY=P5` runs it in batches and one at a time.

use std::{process::ExitCode, sync::Arc, time::Duration};

use bench::{
    child,
    load::{Answer, Caller, closed},
    results::Sample,
};
use domain::{IdSource, OrderId, ProductId, Quantity, SystemClock, UserId};
use product_service::{
    catalog::{Catalog, NewProduct},
    deals::StartDeal,
    stock::{Decrease, Stock, StockError, WantedLine},
    store::{MIGRATIONS, SCHEMA, Store},
    workers::{self, Retention, StockParts},
};
use sql::PoolOptions;
use tokio_util::sync::CancellationToken;

const UNITS: i64 = 1_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);
const QUEUE_MAX: usize = 8_192;

fn main() -> ExitCode {
    child::main(measure)
}

async fn measure(task: child::Task) -> bench::Result<Sample> {
    let ids = IdSource::new(Arc::new(SystemClock), [0; 32]);
    let options = PoolOptions::new(task.url.clone(), SCHEMA);
    let database = sql::open(options, &MIGRATIONS, Duration::from_secs(30)).await?;
    let store = Store::new(database);
    let (stock, deals, workers) = workers::build(StockParts {
        store: store.clone(),
        worker_store: store.clone(),
        gate: None,
        ids: ids.clone(),
        hold_ttl: DAY,
        sold_out_memory: Duration::ZERO,
        retention: Retention {
            holds: 7 * DAY,
            batches: DAY,
        },
        batch_max: task.batch_max,
        queue_max: QUEUE_MAX,
    });
    let stop = CancellationToken::new();
    let running = tokio::spawn(workers.run(stop.clone()));
    let catalog = Catalog::new(store, ids.clone());
    let product = catalog.create(NewProduct {
        name: "한정판 운동화".to_owned(),
        description: String::new(),
        category: String::new(),
        price: 10_000,
        stock: UNITS,
    });
    let product_id = product.await?.id;
    let terms = StartDeal {
        product_id,
        units: None,
        unit_price: None,
        per_user_limit: None,
        ends_at: None,
    };
    deals.start(terms).await?;
    let caller = |_| Buyer {
        stock: stock.clone(),
        ids: ids.clone(),
        product_id,
    };
    let load = closed((0..task.callers).map(caller).collect(), task.window()).await;
    stop.cancel();
    running.await?;
    bench::committed::nothing_failed(&load.in_all)?;
    if load.in_all.lost > 0 {
        return Err("a deal with units enough has refused".into());
    }
    Ok(Sample::of_load(&load, load.won_per_s()))
}

/// Holds one unit for an order of its own, again and again.
struct Buyer {
    stock: Stock,
    ids: IdSource,
    product_id: ProductId,
}

impl Caller for Buyer {
    async fn call(&mut self) -> Answer {
        let Ok(quantity) = Quantity::try_from(1_i64) else {
            return Answer::Failed("quantity".to_owned());
        };
        let line = WantedLine {
            product_id: self.product_id,
            quantity,
            deal_id: None,
        };
        let request = Decrease {
            order_id: OrderId(self.ids.next()),
            user_id: UserId(self.ids.next()),
            lines: vec![line],
            hold_ttl: None,
            first_attempt: true,
        };
        match self.stock.decrease(request, None).await {
            Ok(_) => Answer::Won,
            Err(StockError::Refused(_)) => Answer::Lost,
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}
