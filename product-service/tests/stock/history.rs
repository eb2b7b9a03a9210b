//! Random commands, and how they become concrete: a history names products, orders and buyers by small
//! numbers, and most of its routes are the right ones.

use std::{collections::BTreeMap, time::Duration};

use domain::{DealId, Money, ProductId, Quantity, Timestamp};
use product_service::ledger::command::{
    Command, GateUnits, OpenDeal, Route, ScheduleDeal, Take, TakeLine,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    bed::{order, user},
    model::{Deal, DealState, Model, Units},
};

pub(crate) const PRODUCTS: u128 = 3;
pub(crate) const BUYERS: u128 = 3;
pub(crate) const SHELF_UNITS: i64 = 12;

/// A line as it is drawn: product, units, whether the route is right, whether the gate took the units,
/// and whether the running deal is insisted on.
type DrawnLine = (u128, i64, Way, bool, bool);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Right,
    Shelf,
    /// A deal that was opened so many deals ago.
    Deal(u128),
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Take {
        order: u128,
        buyer: u128,
        lines: Vec<DrawnLine>,
        expires: bool,
    },
    Confirm(u128),
    Restore(u128),
    Return(u128),
    Expire(u128),
    OpenDeal {
        product: u128,
        units: Option<i64>,
        limit: Option<i64>,
        ends_soon: bool,
    },
    EndDeal(u128),
    /// A deal of so many units in one of a few slots of time, the first of which has begun.
    Plan {
        product: u128,
        units: i64,
        limit: Option<i64>,
        slot: u32,
    },
    /// Of the product's plan, or else of another deal.
    StartPlanned(u128),
    CancelPlan(u128),
    Pause(u128),
    Resume(u128),
    Restock(u128, i64),
    AdjustShelf(u128, i64),
    GiveBack(u128, i64),
    /// The clock moves by so many seconds; nothing where the clock is the database's.
    Wait(u64),
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let order = || 0..14_u128;
    let product = || 0..PRODUCTS;
    let way = prop_oneof![
        8 => Just(Way::Right),
        1 => Just(Way::Shelf),
        1 => (0..4_u128).prop_map(Way::Deal),
    ];
    let line = (
        product(),
        1..=4_i64,
        way,
        any::<bool>(),
        prop::bool::weighted(0.1),
    );
    let lines = prop::collection::vec(line, 1..=3);
    let take = (order(), 0..BUYERS, lines, prop::bool::weighted(0.2));
    let open = (
        product(),
        prop::option::of(0..=10_i64),
        prop::option::of(1..=5_i64),
        prop::bool::weighted(0.2),
    );
    let plan = (product(), 1..=15_i64, prop::option::of(1..=5_i64), 0..4_u32);
    prop_oneof![
        12 => take.prop_map(|(order, buyer, lines, expires)| Step::Take { order, buyer, lines, expires }),
        4 => order().prop_map(Step::Confirm),
        4 => order().prop_map(Step::Restore),
        3 => order().prop_map(Step::Return),
        2 => order().prop_map(Step::Expire),
        3 => open.prop_map(|(product, units, limit, ends_soon)| Step::OpenDeal { product, units, limit, ends_soon }),
        1 => product().prop_map(Step::EndDeal),
        3 => plan.prop_map(|(product, units, limit, slot)| Step::Plan { product, units, limit, slot }),
        3 => product().prop_map(Step::StartPlanned),
        1 => product().prop_map(Step::CancelPlan),
        1 => product().prop_map(Step::Pause),
        1 => product().prop_map(Step::Resume),
        2 => (product(), -6..=6_i64).prop_map(|(product, delta)| Step::Restock(product, delta)),
        1 => (product(), -4..=4_i64).prop_map(|(product, delta)| Step::AdjustShelf(product, delta)),
        1 => (product(), 1..=4_i64).prop_map(|(product, units)| Step::GiveBack(product, units)),
        2 => (1..400_u64).prop_map(Step::Wait),
    ]
}

/// One of a sale: a take of one or two products where they are sold, by any of many orders.
pub(crate) fn sale_step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![20 => Just(Way::Right), 1 => (0..4_u128).prop_map(Way::Deal)];
    let line = (
        0..PRODUCTS,
        1..=2_i64,
        way,
        any::<bool>(),
        prop::bool::weighted(0.1),
    );
    let take = (
        0..60_u128,
        0..BUYERS,
        prop::collection::vec(line, 1..=2),
        prop::bool::weighted(0.1),
    );
    take.prop_map(|(order, buyer, lines, expires)| Step::Take {
        order,
        buyer,
        lines,
        expires,
    })
}

/// A deal of each product, one of them with a limit, and a pair of orders that makes them known.
pub(crate) fn opening() -> impl Iterator<Item = Vec<Step>> {
    let open = |product| Step::OpenDeal {
        product,
        units: None,
        limit: (product == 0).then_some(5),
        ends_soon: false,
    };
    let line = |product| (product, 1, Way::Right, false, false);
    let take = Step::Take {
        order: 0,
        buyer: 0,
        lines: (0..PRODUCTS).map(line).collect(),
        expires: false,
    };
    [(0..PRODUCTS).map(open).collect(), vec![take]].into_iter()
}

/// How times are chosen where the clock can be moved, and where it cannot.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) short_ttl: Duration,
    pub(crate) ends_soon: Timestamp,
    /// When the first slot of time begins, and when it ends; the others follow it.
    pub(crate) first_slot: (Timestamp, Timestamp),
    pub(crate) slot: Duration,
}

impl Times {
    fn slot(&self, slot: u32) -> (Timestamp, Timestamp) {
        let (begins, ends) = self.first_slot;
        match slot.checked_sub(1) {
            None => (begins, ends),
            Some(before) => (
                ends.plus(self.slot * before),
                ends.plus(self.slot * (before + 1)),
            ),
        }
    }
}

/// One history in a world of its own: its ids share no number with another's.
pub(crate) struct History {
    base: u128,
    deals: u128,
    times: Times,
}

impl History {
    pub(crate) fn new(number: u128, times: Times) -> Self {
        Self {
            base: (number + 1) << 32,
            deals: 0,
            times,
        }
    }

    pub(crate) fn product_number(&self, product: u128) -> u128 {
        self.base + product
    }

    pub(crate) fn product(&self, product: u128) -> ProductId {
        ProductId(Uuid::from_u128(self.product_number(product)))
    }

    pub(crate) fn shelves(&self) -> BTreeMap<ProductId, Units> {
        let full = Units {
            available: SHELF_UNITS,
            ..Units::default()
        };
        (0..PRODUCTS)
            .map(|product| (self.product(product), full))
            .collect()
    }

    fn deal(&self, number: u128) -> DealId {
        DealId(Uuid::from_u128(self.base + 1_000 + number))
    }

    /// The command, given what the model knows; `None` for a step that only waits.
    pub(crate) fn command(&mut self, model: &Model, step: &Step) -> Option<Command> {
        let order = |number: u128| order(self.base + number);
        Some(match step {
            Step::Take {
                order: number,
                buyer,
                lines,
                expires,
            } => Command::Take(Take {
                order_id: order(*number),
                user_id: user(self.base + buyer),
                lines: self.lines(model, lines),
                hold_ttl: if *expires {
                    self.times.short_ttl
                } else {
                    crate::bed::HOUR
                },
            }),
            Step::Confirm(number) => Command::Confirm(order(*number)),
            Step::Restore(number) => Command::Restore {
                order_id: order(*number),
                reason: "CANCELLED_BY_USER".into(),
            },
            Step::Return(number) => Command::Return {
                order_id: order(*number),
                reason: "CANCELLED_BY_USER".into(),
            },
            Step::Expire(number) => Command::Expire {
                order_id: order(*number),
                grace: Duration::ZERO,
            },
            Step::OpenDeal {
                product,
                units,
                limit,
                ends_soon,
            } => {
                self.deals += 1;
                Command::OpenDeal(OpenDeal {
                    deal_id: self.deal(self.deals),
                    product_id: self.product(*product),
                    units: *units,
                    unit_price: units.map(|units| Money::try_from(units * 10).unwrap()),
                    per_user_limit: *limit,
                    ends_at: ends_soon.then_some(self.times.ends_soon),
                })
            }
            Step::Plan {
                product,
                units,
                limit,
                slot,
            } => {
                self.deals += 1;
                let (starts_at, ends_at) = self.times.slot(*slot);
                Command::ScheduleDeal(ScheduleDeal {
                    deal_id: self.deal(self.deals),
                    product_id: self.product(*product),
                    units: *units,
                    unit_price: Money::try_from(units * 10).unwrap(),
                    per_user_limit: *limit,
                    starts_at,
                    ends_at,
                })
            }
            Step::StartPlanned(product) => Command::StartScheduled(self.some_plan(model, *product)),
            Step::CancelPlan(product) => Command::CancelDeal(self.some_plan(model, *product)),
            Step::Pause(product) => Command::PauseDeal(self.some_deal(model, *product)),
            Step::Resume(product) => Command::ResumeDeal(self.some_deal(model, *product)),
            Step::Restock(product, delta) => Command::RestockDeal {
                deal_id: self.some_deal(model, *product),
                delta: *delta,
            },
            Step::EndDeal(product) => Command::EndDeal(self.some_deal(model, *product)),
            Step::AdjustShelf(product, delta) => Command::AdjustShelf {
                product_id: self.product(*product),
                delta: *delta,
            },
            Step::GiveBack(product, units) => Command::GiveBack(vec![GateUnits {
                product_id: self.product(*product),
                deal_id: self.some_deal(model, *product),
                units: *units,
            }]),
            Step::Wait(_) => return None,
        })
    }

    /// The product's open deal, or the last one of any product.
    fn some_deal(&self, model: &Model, product: u128) -> DealId {
        let open = model.open_deal(self.product(product));
        open.unwrap_or(self.deal(self.deals))
    }

    /// The product's first plan, or else its open deal, or the last one of any product.
    fn some_plan(&self, model: &Model, product: u128) -> DealId {
        let product_id = self.product(product);
        let is_its_plan = |(_, deal): &(&DealId, &Deal)| {
            deal.product_id == product_id && deal.state == DealState::Planned
        };
        let plan = model.deals.iter().find(is_its_plan).map(|(id, _)| *id);
        plan.unwrap_or_else(|| self.some_deal(model, product))
    }

    fn lines(&self, model: &Model, drawn: &[DrawnLine]) -> Vec<TakeLine> {
        let mut lines = BTreeMap::new();
        for (product, units, way, through_gate, insists) in drawn {
            let product_id = self.product(*product);
            let open = model.open_deal(product_id);
            let route = match way {
                Way::Right => open.map_or(Route::Shelf, Route::Deal),
                Way::Shelf => Route::Shelf,
                Way::Deal(ago) => Route::Deal(self.deal(self.deals.saturating_sub(*ago))),
            };
            let is_hot = matches!(route, Route::Deal(_));
            let line = TakeLine {
                product_id,
                quantity: Quantity::try_from(*units).unwrap(),
                deal_wanted: insists.then_some(open.unwrap_or(self.deal(self.deals))),
                route,
                gate_units: if *through_gate && is_hot { *units } else { 0 },
            };
            lines.insert(product_id, line);
        }
        lines.into_values().collect()
    }
}
