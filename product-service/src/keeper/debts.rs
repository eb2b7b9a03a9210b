//! Hands a gate what it is owed as soon as a transaction says so. Should that be lost, it is handed
//! over with the next second's round: the number is in the deal's row.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{OrderId, ProductId};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    gate::Gate,
    ledger::command::{GateBatch, Owed, Place},
    stock::sold_out::SoldOut,
};

/// Notes what follows a commit; its size is bounded by the number of deals.
#[derive(Debug)]
pub(crate) struct Debts {
    gate: Gate,
    sold_out: SoldOut,
    owed: Mutex<HashMap<ProductId, Owed>>,
    news: Notify,
}

impl Debts {
    pub(crate) fn new(gate: Gate, sold_out: SoldOut) -> Arc<Self> {
        Arc::new(Self {
            gate,
            sold_out,
            owed: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// Runs until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(self.news.notified())
            .await
            .is_some()
        {
            let owed =
                std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner));
            if !self.gate.is_up() {
                continue;
            }
            let debts: Vec<(ProductId, i64, i64)> = owed
                .into_values()
                .map(|one| (one.product_id, one.deal_number, one.owed))
                .collect();
            for ((product_id, number, _), result) in
                debts.iter().zip(self.gate.settle_many(&debts).await)
            {
                let place = Place {
                    product_id: *product_id,
                    deal_number: Some(*number),
                };
                // Between the commit and now the gate still said that nothing is left.
                self.sold_out.forget(place, Instant::now());
                if let Err(error) = result {
                    tracing::debug!(%error, "a gate gets what it is owed with the next round");
                }
            }
        }
    }

    /// A batch of the gate is recorded: it is no longer in flight. Of its orders the ledger did not take
    /// those `not_taken`.
    pub(crate) fn recorded(&self, batch: GateBatch, not_taken: &[OrderId]) {
        self.gate.done(batch.product_id, batch.batch_id, not_taken);
    }

    /// A gate is owed more.
    pub(crate) fn owes(&self, owed: Owed) {
        let mut all = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(owed.product_id).or_insert(owed);
        if (known.deal_number, known.owed) < (owed.deal_number, owed.owed) {
            *known = owed;
        }
        drop(all);
        self.news.notify_one();
    }
}
