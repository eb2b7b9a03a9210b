//! A no of the gate that is not final: nobody who holds a unit hears that he has none.

use std::collections::HashMap;

use domain::{DealId, OrderId, UserId};

use crate::{
    gate::Verdict,
    ledger::{
        command::{Outcome, Refusal, Route, Take},
        decide::take::answer_from,
    },
    store::Store,
};

/// A request that the gate refused because of one of its lines.
pub(super) struct Refused {
    pub(super) take: Take,
    /// Index of that line.
    pub(super) line: usize,
    pub(super) verdict: Verdict,
}

impl Refused {
    fn buyer(&self) -> Option<(DealId, UserId)> {
        match (self.verdict, self.take.lines.get(self.line)?.route) {
            (Verdict::Limited, Route::Deal(deal_id)) => Some((deal_id, self.take.user_id)),
            _ => None,
        }
    }
}

/// What the ledger says to each request, in their order: one look for all of them.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn second_look(
    store: &Store,
    refused: &[Refused],
) -> Result<Vec<Outcome>, sqlx::Error> {
    let order_ids: Vec<OrderId> = refused.iter().map(|one| one.take.order_id).collect();
    let (holds, now) = store.find_holds(&order_ids).await?;
    let buyers: Vec<(DealId, UserId)> = refused.iter().filter_map(Refused::buyer).collect();
    let bought = if buyers.is_empty() {
        HashMap::new()
    } else {
        store.find_buyers(&buyers).await?
    };
    let limits = limits(store, &buyers).await?;
    let outcome = |one: &Refused| match holds.get(&one.take.order_id) {
        Some(hold) => answer_from(hold, &one.take, now),
        None => without_hold(one, &bought, &limits),
    };
    Ok(refused.iter().map(outcome).collect())
}

fn without_hold(
    one: &Refused,
    bought: &HashMap<(DealId, UserId), i64>,
    limits: &HashMap<DealId, i64>,
) -> Outcome {
    let Some(line) = one.take.lines.get(one.line) else {
        return Outcome::Failed;
    };
    let Some(buyer) = one.buyer() else {
        return Outcome::Refused(Refusal::OutOfStock(line.product_id));
    };
    let has = bought.get(&buyer).copied().unwrap_or(0);
    match limits.get(&buyer.0) {
        Some(limit) if has + line.quantity.units() > *limit => {
            Outcome::Refused(Refusal::PerUserLimit(line.product_id))
        }
        // The gate still counts units that were released since.
        _ => Outcome::LimitOutdated,
    }
}

async fn limits(
    store: &Store,
    buyers: &[(DealId, UserId)],
) -> Result<HashMap<DealId, i64>, sqlx::Error> {
    let mut limits = HashMap::new();
    for (deal_id, _) in buyers {
        if limits.contains_key(deal_id) {
            continue;
        }
        let deal = store.deal(*deal_id).await?;
        if let Some(limit) = deal.and_then(|deal| deal.per_user_limit) {
            limits.insert(*deal_id, limit);
        }
    }
    Ok(limits)
}
