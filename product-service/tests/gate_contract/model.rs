//! The gate in plain Rust, as the design says.

use std::collections::BTreeMap;

use product_service::gate::Verdict;

/// What the four keys of an open gate hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) deal: i64,
    pub(crate) quantity: i64,
    pub(crate) owed: i64,
    pub(crate) limit: Option<i64>,
    /// Order → batch, user, units.
    pub(crate) admitted: BTreeMap<u128, (u128, u128, i64)>,
    pub(crate) buyers: BTreeMap<u128, i64>,
    /// Batch → units, orders.
    pub(crate) inflight: BTreeMap<u128, (i64, Vec<u128>)>,
}

impl Model {
    pub(crate) fn admit(&mut self, batch: u128, requests: &[Ask]) -> Vec<Verdict> {
        let (mut units_taken, mut orders) = (0, Vec::new());
        let mut verdicts = Vec::new();
        for ask in requests {
            let bought = self.buyers.get(&ask.user).copied().unwrap_or(0);
            let beyond = self.limit.is_some_and(|limit| bought + ask.units > limit);
            verdicts.push(if let Some(admission) = self.admitted.get_mut(&ask.order) {
                admission.0 = batch;
                Verdict::Passed
            } else if self.quantity <= 0 {
                Verdict::SoldOut
            } else if self.quantity < ask.units {
                Verdict::TooFew
            } else if beyond && !ask.ignore_limit {
                Verdict::Limited
            } else {
                self.quantity -= ask.units;
                units_taken += ask.units;
                self.admitted
                    .insert(ask.order, (batch, ask.user, ask.units));
                if self.limit.is_some() {
                    self.buyers.insert(ask.user, bought + ask.units);
                }
                Verdict::Admitted
            });
            let inside = matches!(verdicts.last(), Some(Verdict::Admitted | Verdict::Passed));
            if inside && !orders.contains(&ask.order) {
                orders.push(ask.order);
            }
        }
        if !orders.is_empty() {
            self.inflight.insert(batch, (units_taken, orders));
        }
        verdicts
    }

    pub(crate) fn hand_over(&mut self, owed: i64) {
        self.quantity += (owed - self.owed).max(0);
        self.owed = self.owed.max(owed);
    }

    pub(crate) fn void(&mut self, batch: u128, owed: i64, was_void: bool) {
        let (_, orders) = self.inflight.remove(&batch).unwrap_or_default();
        if was_void {
            self.forget(batch, &orders);
        }
        self.hand_over(owed);
    }

    /// Batches are done, and the ledger did not take these of their orders.
    pub(crate) fn finish(&mut self, done: &[(u128, Vec<u128>)]) {
        for (batch, not_taken) in done {
            self.inflight.remove(batch);
            self.forget(*batch, not_taken);
        }
    }

    fn forget(&mut self, batch: u128, orders: &[u128]) {
        for order in orders {
            if self.admitted.get(order).is_some_and(|it| it.0 == batch) {
                let (_, user, units) = self.admitted.remove(order).unwrap();
                if let Some(bought) = self.buyers.get_mut(&user) {
                    *bought -= units;
                }
            }
        }
        self.buyers.retain(|_, bought| *bought > 0);
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) order: u128,
    pub(crate) user: u128,
    pub(crate) units: i64,
    pub(crate) ignore_limit: bool,
}
