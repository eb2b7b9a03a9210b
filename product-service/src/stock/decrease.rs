//! A request's way through routes, gate and ledger.

use std::{collections::HashMap, time::Duration};

use domain::{OrderId, ProductId, UserId};
use tokio::time::Instant;

use crate::{
    ledger::command::{Command, Outcome, Place, Refusal, Route, Take, TakeLine, Taken},
    metrics,
    stock::{
        Stock, StockError,
        ask::Candidate,
        ending::unexpected,
        reply_by,
        routes::DealRoute,
        wanted::{self, WantedLine},
    },
};

/// How often a request is routed before it is given up: routes change only when a deal starts or ends.
const ROUNDS_MAX: usize = 8;

/// Stock for an order.
#[derive(Debug, Clone)]
pub struct Decrease {
    /// The order; repeating it takes nothing more.
    pub order_id: OrderId,
    /// Who buys.
    pub user_id: UserId,
    /// At least one.
    pub lines: Vec<WantedLine>,
    /// How long the stock is held, at most 24 h; `None`: the service's default.
    pub hold_ttl: Option<Duration>,
    /// Nobody can have used this order id before.
    pub first_attempt: bool,
}

impl Stock {
    /// Holds stock for an order, all lines or none; answered after the ledger's commit, or, where the
    /// gate has too little for a first attempt, by the gate.
    ///
    /// # Errors
    /// See [`StockError`]. After `Unavailable` or `DeadlineExceeded` the hold may exist: repeat the
    /// request, or restore the order.
    pub async fn decrease(
        &self,
        request: Decrease,
        deadline: Option<Instant>,
    ) -> Result<Taken, StockError> {
        let lines = wanted::sum(&request.lines)?;
        let mut round = Round {
            is_first_attempt: request.first_attempt,
            ignore_limit: false,
        };
        for _ in 0..ROUNDS_MAX {
            let table = self.routes().table();
            let take = self.routed(&request, &lines, &table);
            if let Some(refusal) = self.misnamed_deal(&take).await? {
                return Err(StockError::Refused(refusal));
            }
            if round.is_first_attempt
                && let Some(product_id) = self.remembered_sold_out(&take, &table)
            {
                let refusal = Refusal::OutOfStock(product_id);
                metrics::decremented("memory", refusal.label());
                return Err(StockError::Refused(refusal));
            }
            let (path, outcome) = self.ask(take, &table, round, deadline).await?;
            match outcome {
                Outcome::Taken(taken) => {
                    let outcome = if taken.is_replay { "replayed" } else { "held" };
                    metrics::decremented(path, outcome);
                    return Ok(taken);
                }
                Outcome::Refused(refusal) => {
                    metrics::decremented(path, refusal.label());
                    return Err(StockError::Refused(refusal));
                }
                Outcome::Rerouted => self.routes().refresh(&self.0.store, &table).await?,
                Outcome::BatchVoided => {}
                Outcome::LimitOutdated => round.ignore_limit = true,
                other => return Err(unexpected(other)),
            }
            round.is_first_attempt = false;
        }
        Err(StockError::Unavailable(
            "the product's deals keep changing".into(),
        ))
    }

    /// Hot requests through the gate where there is one and it is up; all others to the ledger.
    async fn ask(
        &self,
        take: Take,
        table: &HashMap<ProductId, DealRoute>,
        round: Round,
        deadline: Option<Instant>,
    ) -> Result<(&'static str, Outcome), StockError> {
        let runs = |line: &TakeLine| table.get(&line.product_id).is_some_and(|r| r.is_running);
        let is_hot = take.lines.iter().any(runs);
        match &self.0.gate_line {
            Some(line) if is_hot && line.is_up() => {
                let numbers = take
                    .lines
                    .iter()
                    .map(|line| table.get(&line.product_id).filter(|r| r.is_running))
                    .map(|route| route.map(|route| route.number))
                    .collect();
                let candidate = Candidate {
                    take,
                    numbers,
                    is_first_attempt: round.is_first_attempt,
                    ignore_limit: round.ignore_limit,
                };
                let reply = line.submit(candidate, deadline)?;
                Ok(("gate", reply_by(deadline, reply).await?))
            }
            _ => Ok((
                "ledger",
                self.ask_ledger(Command::Take(take), deadline).await?,
            )),
        }
    }

    /// The first product of which nothing was left a moment ago.
    fn remembered_sold_out(
        &self,
        take: &Take,
        table: &HashMap<ProductId, DealRoute>,
    ) -> Option<ProductId> {
        let places = take.lines.iter();
        let places = places.filter_map(|line| selling_place(line.product_id, table));
        self.0.sold_out.first_empty(places)
    }

    /// For how much longer it may be believed that nothing at all is left of a product; `None` if some units
    /// are, or it is not known.
    pub(crate) fn sold_out_for(&self, product_id: ProductId) -> Option<Duration> {
        let place = selling_place(product_id, &self.routes().table())?;
        self.0.sold_out.believed_for(&place, Instant::now())
    }

    fn routed(
        &self,
        request: &Decrease,
        lines: &[WantedLine],
        table: &HashMap<ProductId, DealRoute>,
    ) -> Take {
        let line = |line: &WantedLine| TakeLine {
            product_id: line.product_id,
            quantity: line.quantity,
            deal_wanted: line.deal_id,
            route: match table.get(&line.product_id) {
                Some(route) => Route::Deal(route.deal_id),
                None => Route::Shelf,
            },
            gate_units: 0,
        };
        Take {
            order_id: request.order_id,
            user_id: request.user_id,
            lines: lines.iter().map(line).collect(),
            hold_ttl: request.hold_ttl.unwrap_or(self.0.hold_ttl),
        }
    }

    /// A deal named in a line that is not the one which runs: one of another product, or of none, is a
    /// mistake; one that is over, or has not begun, is left to the ledger to refuse.
    async fn misnamed_deal(&self, take: &Take) -> Result<Option<Refusal>, StockError> {
        for line in &take.lines {
            let Some(wanted) = line.deal_wanted else {
                continue;
            };
            if line.route == Route::Deal(wanted) {
                continue;
            }
            let deal = self.0.store.deal(wanted).await?;
            if deal.is_none_or(|deal| deal.product_id != line.product_id) {
                return Ok(Some(Refusal::ForeignDeal(line.product_id)));
            }
        }
        Ok(None)
    }
}

/// Where a product is sold from now; `None` while its deal is paused: it sells nothing, sold out or not.
fn selling_place(product_id: ProductId, table: &HashMap<ProductId, DealRoute>) -> Option<Place> {
    let route = table.get(&product_id);
    if route.is_some_and(|route| !route.is_running) {
        return None;
    }
    Some(Place {
        product_id,
        deal_number: route.map(|route| route.number),
    })
}

/// What has been learned about a request on its way.
#[derive(Debug, Clone, Copy)]
struct Round {
    is_first_attempt: bool,
    ignore_limit: bool,
}

impl Refusal {
    /// As the label of a metric.
    fn label(self) -> &'static str {
        match self {
            Self::OutOfStock(_) => "out_of_stock",
            Self::PerUserLimit(_) => "per_user_limit",
            Self::DealNotOpen(_) | Self::DealPaused(_) | Self::DealNotScheduled(_) => {
                "deal_not_open"
            }
            Self::ProductNotFound(_) => "product_not_found",
            Self::ForeignDeal(_) => "foreign_deal",
            Self::AmountTooLarge(_) => "amount_too_large",
            Self::HoldEnded => "hold_ended",
            Self::OrderIdReused => "order_id_reused",
        }
    }
}
