//! Stock, deals and keepers put together: what answers, and what must run for it to answer.

use std::{sync::Arc, time::Duration};

use domain::IdSource;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    deals::{Deals, watch::Watches},
    gate::Gate,
    keeper::{after::After, debts::Debts, expire, retain, schedule, tend::Tender},
    stock::{
        Stock,
        gate_line::{GateLine, GateParts, GateWorker},
        ledger_line::{Ledger, LedgerOptions, LedgerWorkers, finish},
        sold_out::SoldOut,
    },
    store::Store,
};

pub use crate::keeper::retain::Retention;

/// What stock is made of.
#[derive(Debug)]
pub struct StockParts {
    /// The ledger's database, for requests.
    pub store: Store,
    /// The same, over connections that are kept for the workers.
    pub worker_store: Store,
    /// The gate; `None`: everything goes straight to the ledger.
    pub gate: Option<Gate>,
    /// Where ids of batches and deals come from.
    pub ids: IdSource,
    /// How long stock is held unless a request says otherwise.
    pub hold_ttl: Duration,
    /// How long it is remembered that nothing is left; zero: not at all.
    pub sold_out_memory: Duration,
    /// How long what is over is kept.
    pub retention: Retention,
    /// Requests that are done together; 1 turns that off.
    pub batch_max: usize,
    /// Requests that may wait before the gate, and for each worker of the ledger.
    pub queue_max: usize,
}

/// What must run for stock to move.
#[derive(Debug)]
pub struct Workers {
    ledger: LedgerWorkers,
    gate: Option<(Gate, GateWorker, Arc<Debts>)>,
    tender: Tender,
    store: Store,
    retention: Retention,
    stock: Stock,
    deals: Deals,
}

/// Stock, deals, and the workers that must run for them to answer.
pub fn build(parts: StockParts) -> (Stock, Deals, Workers) {
    let StockParts {
        store,
        worker_store,
        gate,
        ids,
        ..
    } = parts;
    let sold_out = SoldOut::new(parts.sold_out_memory);
    let debts = gate.clone().map(|gate| Debts::new(gate, sold_out.clone()));
    let watches = Watches::new(store.clone());
    let after = Arc::new(After {
        debts: debts.clone(),
        watches: watches.clone(),
    });
    let options = LedgerOptions {
        batch_max: parts.batch_max,
        queue_max: parts.queue_max,
    };
    let (ledger, ledger_workers) = Ledger::new(
        worker_store.clone(),
        ids.clone(),
        after,
        sold_out.clone(),
        options,
    );
    let line = gate.clone().map(|gate| {
        let parts_of_gate = GateParts {
            gate,
            store: worker_store.clone(),
            ledger: ledger.clone(),
            ids: ids.clone(),
            sold_out: sold_out.clone(),
        };
        GateLine::new(parts_of_gate, parts.batch_max, parts.queue_max)
    });
    let (gate_line, gate_worker) = line.unzip();
    let stock = Stock::new(store.clone(), ledger, gate_line, sold_out, parts.hold_ttl);
    let deals = Deals::new(store, stock.clone(), gate.clone(), watches, ids);
    let workers = Workers {
        ledger: ledger_workers,
        gate: gate
            .clone()
            .zip(gate_worker)
            .zip(debts)
            .map(|((gate, worker), debts)| (gate, worker, debts)),
        tender: Tender::new(worker_store.clone(), stock.clone(), deals.clone(), gate),
        store: worker_store,
        retention: parts.retention,
        stock: stock.clone(),
        deals: deals.clone(),
    };
    (stock, deals, workers)
}

impl Workers {
    /// Runs until `stop`; then what waits before the gate is worked off, and after it what waits for
    /// the ledger.
    ///
    /// # Panics
    /// When one of the workers panics.
    pub async fn run(self, stop: CancellationToken) {
        let stop_ledger = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(self.ledger.run(stop_ledger.clone()));
        tasks.spawn(self.tender.run(stop.clone()));
        tasks.spawn(self.deals.watches().clone().run(stop.clone()));
        tasks.spawn(schedule::run(self.store.clone(), self.deals, stop.clone()));
        tasks.spawn(expire::count(self.store.clone(), stop.clone()));
        tasks.spawn(retain::run(
            self.store.clone(),
            self.retention,
            stop.clone(),
        ));
        tasks.spawn(expire::run(
            self.store,
            self.stock,
            expire::GRACE,
            stop.clone(),
        ));
        match self.gate {
            Some((gate, line, debts)) => {
                tasks.spawn(debts.run(stop.clone()));
                tasks.spawn(gate.clone().probe(stop.clone()));
                tasks.spawn(async move {
                    gate.warn_about_settings().await;
                    line.run(stop).await;
                    stop_ledger.cancel();
                });
            }
            None => {
                tasks.spawn(async move {
                    stop.cancelled().await;
                    stop_ledger.cancel();
                });
            }
        }
        finish(tasks).await;
    }
}
