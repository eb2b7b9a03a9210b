//! What the ledger is asked, and what it answers.

use std::time::Duration;

use domain::{BatchId, DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};

use crate::ledger::{
    deal::DealStatus,
    hold::{HeldLine, HoldEnd},
};

/// Where a line's units are thought to be. A hint: the ledger looks under its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The product's shelf.
    Shelf,
    /// A running deal.
    Deal(DealId),
}

/// One product of a request; lines of one product have been summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeLine {
    /// What is wanted.
    pub product_id: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// The deal the caller insists on, if any.
    pub deal_wanted: Option<DealId>,
    /// Where to look.
    pub route: Route,
    /// Units that the gate took for this line: all of them, or none.
    pub gate_units: i64,
}

/// Hold stock for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// The order.
    pub order_id: OrderId,
    /// Who buys.
    pub user_id: UserId,
    /// Sorted by product, one line a product, at least one.
    pub lines: Vec<TakeLine>,
    /// How long the stock is held.
    pub hold_ttl: Duration,
}

/// Units that a deal's gate took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateUnits {
    /// Whose gate.
    pub product_id: ProductId,
    /// The deal it admits to.
    pub deal_id: DealId,
    /// How many.
    pub units: i64,
}

impl Take {
    /// What gates took for this request.
    pub fn gate_units(&self) -> Vec<GateUnits> {
        let of_line = |line: &TakeLine| match line.route {
            Route::Deal(deal_id) if line.gate_units > 0 => Some(GateUnits {
                product_id: line.product_id,
                deal_id,
                units: line.gate_units,
            }),
            _ => None,
        };
        self.lines.iter().filter_map(of_line).collect()
    }
}

/// A deal to open now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDeal {
    /// Its id, new.
    pub deal_id: DealId,
    /// Its product.
    pub product_id: ProductId,
    /// Units to move from the shelf, at least 1; `None`: all of them.
    pub units: Option<i64>,
    /// Price of one unit while it runs; `None`: the product's.
    pub unit_price: Option<Money>,
    /// Units one buyer may hold and buy, at least 1; `None`: any number.
    pub per_user_limit: Option<i64>,
    /// When it closes by itself; `None`: never.
    pub ends_at: Option<Timestamp>,
}

/// A deal to open at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleDeal {
    /// Its id, new.
    pub deal_id: DealId,
    /// Its product.
    pub product_id: ProductId,
    /// Units to move from the shelf when it opens, at least 1; fewer if the shelf has fewer then.
    pub units: i64,
    /// Price of one unit while it runs.
    pub unit_price: Money,
    /// Units one buyer may hold and buy, at least 1; `None`: any number.
    pub per_user_limit: Option<i64>,
    /// When it is to sell; its end is after its start.
    pub starts_at: Timestamp,
    /// When it closes by itself.
    pub ends_at: Timestamp,
}

/// One thing the ledger does within a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hold stock.
    Take(Take),
    /// Sell a hold.
    Confirm(OrderId),
    /// Release a hold, or bury an unknown order id.
    Restore {
        /// The order.
        order_id: OrderId,
        /// Why.
        reason: String,
    },
    /// Release a hold even if it is sold; an unknown order id stays unknown.
    Return {
        /// The order.
        order_id: OrderId,
        /// Why.
        reason: String,
    },
    /// Release a hold whose deadline passed at least `grace` ago; anything else is left alone.
    Expire {
        /// The order.
        order_id: OrderId,
        /// How long after its deadline.
        grace: Duration,
    },
    /// Open a deal with units of the product's shelf; a running or paused one stays as it is.
    OpenDeal(OpenDeal),
    /// Plan a deal, unless its window overlaps that of another deal of the product.
    ScheduleDeal(ScheduleDeal),
    /// Open a scheduled deal whose time has come; end it if its window is over. Anything else is left
    /// alone.
    StartScheduled(DealId),
    /// End a scheduled deal before it opens; one that has opened is left alone.
    CancelDeal(DealId),
    /// Let a deal that runs sell no more for a while.
    PauseDeal(DealId),
    /// Let a paused deal sell again.
    ResumeDeal(DealId),
    /// Add units to a deal that runs or is paused, or write some off.
    RestockDeal {
        /// Which.
        deal_id: DealId,
        /// Units to add; negative: to write off.
        delta: i64,
    },
    /// End a deal and hand its available units back to the shelf.
    EndDeal(DealId),
    /// Add units to a product's shelf, or take some away.
    AdjustShelf {
        /// Whose shelf.
        product_id: ProductId,
        /// Units to add; negative: to write off.
        delta: i64,
    },
    /// Owe the gate what it took for a request that ended before the ledger.
    GiveBack(Vec<GateUnits>),
}

impl Command {
    /// The order whose hold it concerns.
    pub fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::Take(take) => Some(take.order_id),
            Self::Confirm(order_id)
            | Self::Restore { order_id, .. }
            | Self::Return { order_id, .. }
            | Self::Expire { order_id, .. } => Some(*order_id),
            Self::OpenDeal(_)
            | Self::ScheduleDeal(_)
            | Self::StartScheduled(_)
            | Self::CancelDeal(_)
            | Self::PauseDeal(_)
            | Self::ResumeDeal(_)
            | Self::RestockDeal { .. }
            | Self::EndDeal(_)
            | Self::AdjustShelf { .. }
            | Self::GiveBack(_) => None,
        }
    }
}

/// A line as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenLine {
    /// The line of the hold.
    pub held: HeldLine,
    /// Units left afterwards: a hint. `None` on a replay.
    pub remaining: Option<i64>,
}

/// A hold as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Sorted by product.
    pub lines: Vec<TakenLine>,
    /// When the hold ends unless it is confirmed.
    pub expires_at: Timestamp,
    /// It was there already.
    pub is_replay: bool,
}

/// Why the shop says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Fewer units are left than wanted.
    OutOfStock(ProductId),
    /// The buyer would exceed the deal's limit.
    PerUserLimit(ProductId),
    /// The deal does not run now.
    DealNotOpen(ProductId),
    /// The product's deal is open, but paused.
    DealPaused(ProductId),
    /// The deal has opened already, or was over before it could.
    DealNotScheduled(ProductId),
    /// There is no such product.
    ProductNotFound(ProductId),
    /// The named deal is not one of the product.
    ForeignDeal(ProductId),
    /// Price times quantity, or the order's total with it, is more than money can count.
    AmountTooLarge(ProductId),
    /// The order's hold has been released, or its deadline has passed.
    HoldEnded,
    /// The order id came with other lines, or from another buyer.
    OrderIdReused,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The stock is held.
    Taken(Taken),
    /// The shop says no; nothing was taken.
    Refused(Refusal),
    /// The routes have changed: nothing was taken, look again.
    Rerouted,
    /// The gate's batch has been voided meanwhile: nothing was taken, through the gate again.
    BatchVoided,
    /// The gate's count of the buyer is out of date: through the gate again, without it.
    LimitOutdated,
    /// The hold has ended so, by this command or before.
    Ended(HoldEnd),
    /// The product's deal is open: this one, or one that was open before.
    DealOpen(DealId),
    /// The deal would end before it begins.
    EndsInThePast,
    /// The window overlaps that of this other deal of the product.
    Overlaps(DealId),
    /// The deal stands so after a command about it.
    DealStands {
        /// How far it has come.
        status: DealStatus,
        /// The command has changed something.
        has_changed: bool,
    },
    /// The shelf has this many units now.
    Adjusted {
        /// Units that can be taken.
        available: i64,
    },
    /// No hold of that order id, no such deal.
    Unknown,
    /// Nothing to do, or nothing to say.
    Done,
    /// The database refused this command alone.
    Failed,
}

/// A batch of the gate whose winners go to the ledger together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GateBatch {
    /// The id under which the gate keeps it in flight.
    pub batch_id: BatchId,
    /// Whose gate.
    pub product_id: ProductId,
}

/// What is committed together or not at all: the winners of one gate call, or a single command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle {
    /// The gate's batches whose units it carries; recorded with it, once.
    pub gate_batches: Vec<GateBatch>,
    /// In order of arrival.
    pub commands: Vec<Command>,
}

/// A gate's debt after a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Whose gate.
    pub product_id: ProductId,
    /// The deal's number.
    pub deal_number: i64,
    /// All that the gate was ever owed.
    pub owed: i64,
}

/// Where units are sold from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Whose units.
    pub product_id: ProductId,
    /// The number of the product's deal; `None`: its shelf.
    pub deal_number: Option<i64>,
}

/// What a transaction left at a place that it locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Where.
    pub place: Place,
    /// Nothing can be taken there any more.
    pub is_empty: bool,
    /// Units were added, or came back.
    pub has_grown: bool,
}

/// What a transaction decided; true once it has committed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// One outcome per command of each bundle.
    pub outcomes: Vec<Vec<Outcome>>,
    /// Debts that have grown.
    pub owed: Vec<Owed>,
    /// What is left where nothing is, or where more is than before.
    pub left: Vec<Left>,
}
