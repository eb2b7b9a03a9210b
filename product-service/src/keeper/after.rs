//! What follows a commit of the ledger: gates hear of it, and those who watch a deal.

use std::sync::Arc;

use domain::OrderId;

use crate::{
    deals::watch::Watches,
    keeper::debts::Debts,
    ledger::command::{GateBatch, Owed},
    stock::ledger_line::AfterCommit,
};

/// Tells whoever there is to tell.
#[derive(Debug)]
pub(crate) struct After {
    /// `None` where there is no gate.
    pub(crate) debts: Option<Arc<Debts>>,
    pub(crate) watches: Watches,
}

impl AfterCommit for After {
    fn committed(&self) {
        self.watches.nudge();
    }

    fn recorded(&self, batch: GateBatch, not_taken: &[OrderId]) {
        if let Some(debts) = &self.debts {
            debts.recorded(batch, not_taken);
        }
    }

    fn owes(&self, owed: Owed) {
        if let Some(debts) = &self.debts {
            debts.owes(owed);
        }
    }
}
