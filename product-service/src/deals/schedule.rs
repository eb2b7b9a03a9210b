//! Planning a deal, and dropping the plan.

use domain::{DealId, Money, ProductId, Timestamp};

use crate::{
    deals::Deals,
    ledger::{
        command::{Command, Outcome, ScheduleDeal},
        deal::DealRow,
    },
    stock::{StockError, unexpected},
};

/// Terms of a deal that opens at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanDeal {
    /// The product.
    pub product_id: ProductId,
    /// Units to move from its shelf when it opens, at least 1; fewer if the shelf has fewer then.
    pub units: i64,
    /// Price of one unit while it runs.
    pub unit_price: Money,
    /// Units one buyer may hold and buy, at least 1; `None`: any number.
    pub per_user_limit: Option<i64>,
    /// When it opens; a time that has passed means at once.
    pub starts_at: Timestamp,
    /// When it closes, after its start.
    pub ends_at: Timestamp,
}

impl Deals {
    /// Plans a deal. One whose time has come opens at once, if no other deal of the product is open.
    ///
    /// # Errors
    /// [`StockError::InvalidField`] for terms out of range, or a window that overlaps another deal's;
    /// [`crate::ledger::command::Refusal::ProductNotFound`]; else see [`StockError`]. After `Unavailable`
    /// the plan may have been made: look at the list.
    pub async fn schedule(&self, plan: PlanDeal) -> Result<DealRow, StockError> {
        check(&plan)?;
        let deal_id = DealId(self.0.ids.next());
        let command = Command::ScheduleDeal(ScheduleDeal {
            deal_id,
            product_id: plan.product_id,
            units: plan.units,
            unit_price: plan.unit_price,
            per_user_limit: plan.per_user_limit,
            starts_at: plan.starts_at,
            ends_at: plan.ends_at,
        });
        match self.0.stock.ask_ledger(command, None).await? {
            Outcome::DealStands { .. } => {}
            Outcome::EndsInThePast => return Err(invalid("ends_at", "must be in the future")),
            Outcome::Overlaps(other) => {
                let message = format!("the time overlaps that of deal {other} of the same product");
                return Err(invalid("starts_at", &message));
            }
            other => return Err(unexpected(other)),
        }
        tracing::info!(deal.id = %deal_id, product.id = %plan.product_id, units = plan.units, starts_at = %plan.starts_at, "deal scheduled");
        // The schedule opens it if this cannot.
        if let Err(error) = self.start_due(deal_id).await {
            tracing::debug!(%error, deal.id = %deal_id, "the deal is left to the schedule");
        }
        self.0.news.notify_one();
        self.deal(deal_id).await
    }

    /// Drops a plan; one that was dropped before stays so.
    ///
    /// # Errors
    /// [`crate::ledger::command::Refusal::DealNotScheduled`] once the deal has opened,
    /// [`StockError::NotFound`] for an unknown id; else see [`StockError`].
    pub async fn cancel(&self, deal_id: DealId) -> Result<(), StockError> {
        let command = Command::CancelDeal(deal_id);
        match self.0.stock.ask_ledger(command, None).await? {
            Outcome::DealStands { has_changed, .. } => {
                if has_changed {
                    tracing::info!(deal.id = %deal_id, "scheduled deal cancelled");
                }
                Ok(())
            }
            Outcome::Unknown => Err(StockError::NotFound),
            other => Err(unexpected(other)),
        }
    }
}

fn check(plan: &PlanDeal) -> Result<(), StockError> {
    if plan.units < 1 {
        return Err(invalid("deal_stock", "must be at least 1"));
    }
    if plan.per_user_limit.is_some_and(|limit| limit < 1) {
        return Err(invalid("per_user_limit", "must be at least 1"));
    }
    if plan.ends_at <= plan.starts_at {
        return Err(invalid("ends_at", "must be after starts_at"));
    }
    Ok(())
}

/// A field that is out of range.
pub(super) fn invalid(field: &'static str, message: &str) -> StockError {
    StockError::InvalidField {
        field,
        message: message.to_owned(),
    }
}
