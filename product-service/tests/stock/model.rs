//! What the ledger should say, told a second time and more simply: who has how many units, and which
//! order holds them. It shares the ledger's words, not its code.

use std::collections::BTreeMap;

use domain::{DealId, Money, OrderId, ProductId, Timestamp, UserId};
use product_service::ledger::{
    command::{
        Command, OpenDeal, Outcome, Refusal, Route, ScheduleDeal, Take, TakeLine, Taken, TakenLine,
    },
    deal::DealStatus,
    hold::{HeldLine, HoldEnd},
};

pub(crate) const NAME: &str = "Thing";
pub(crate) const PRICE: i64 = 1_000;

/// Where the units of a deal or a shelf are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Units {
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) sold: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Deal {
    pub(crate) product_id: ProductId,
    pub(crate) units: Units,
    pub(crate) owed: i64,
    pub(crate) state: DealState,
    planned: i64,
    has_opened: bool,
    price: Money,
    limit: Option<i64>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DealState {
    Planned,
    Sells,
    Rests,
    Over,
}

impl Deal {
    fn is_open(&self) -> bool {
        matches!(self.state, DealState::Sells | DealState::Rests)
    }

    fn is_past(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    fn stands(&self, has_changed: bool) -> Outcome {
        let status = match self.state {
            DealState::Planned => DealStatus::Scheduled,
            DealState::Sells => DealStatus::Running,
            DealState::Rests => DealStatus::Paused,
            DealState::Over => DealStatus::Ended,
        };
        Outcome::DealStands {
            status,
            has_changed,
        }
    }
}

#[derive(Debug, Clone)]
struct Hold {
    user_id: Option<UserId>,
    lines: Vec<HeldLine>,
    expires_at: Timestamp,
    end: Option<HoldEnd>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) now: Timestamp,
    pub(crate) shelves: BTreeMap<ProductId, Units>,
    pub(crate) deals: BTreeMap<DealId, Deal>,
    holds: BTreeMap<OrderId, Hold>,
}

enum No {
    Reroute,
    Refused(Refusal),
}

impl Model {
    pub(crate) fn new(now: Timestamp, shelves: BTreeMap<ProductId, Units>) -> Self {
        Self {
            now,
            shelves,
            deals: BTreeMap::new(),
            holds: BTreeMap::new(),
        }
    }

    /// The product's deal that has opened and not ended, even if its window is over.
    pub(crate) fn open_deal(&self, product_id: ProductId) -> Option<DealId> {
        let mut deals = self.deals.iter();
        let open = deals.find(|(_, deal)| deal.product_id == product_id && deal.is_open());
        open.map(|(id, _)| *id)
    }

    /// Units of a deal that a buyer holds or has bought.
    pub(crate) fn bought(&self, deal_id: DealId, user_id: UserId) -> i64 {
        let counts = |hold: &&Hold| {
            hold.user_id == Some(user_id) && matches!(hold.end, None | Some(HoldEnd::Sold { .. }))
        };
        let holds = self.holds.values().filter(counts);
        let lines = holds.flat_map(|hold| &hold.lines);
        let of_deal = lines.filter(|line| line.deal_id == Some(deal_id));
        of_deal.map(|line| line.quantity.units()).sum()
    }

    pub(crate) fn decide(&mut self, command: &Command) -> Outcome {
        match command {
            Command::Take(take) => self.take(take),
            Command::Confirm(order_id) => self.confirm(*order_id),
            Command::Restore { order_id, reason } => self.restore(*order_id, reason),
            Command::Return { order_id, reason } => self.take_back(*order_id, reason),
            Command::Expire { order_id, grace } => match self.holds.get(order_id) {
                Some(hold) if hold.end.is_none() && hold.expires_at.plus(*grace) <= self.now => {
                    self.release(*order_id, "EXPIRED")
                }
                _ => Outcome::Done,
            },
            Command::OpenDeal(terms) => self.open(terms),
            Command::EndDeal(deal_id) => self.end(*deal_id),
            Command::ScheduleDeal(plan) => self.plan(plan),
            Command::StartScheduled(deal_id) => self.start(*deal_id),
            Command::CancelDeal(deal_id) => self.cancel(*deal_id),
            Command::PauseDeal(deal_id) => self.set(*deal_id, DealState::Rests),
            Command::ResumeDeal(deal_id) => self.set(*deal_id, DealState::Sells),
            Command::RestockDeal { deal_id, delta } => self.restock(*deal_id, *delta),
            Command::AdjustShelf { product_id, delta } => {
                let shelf = self.shelves.get_mut(product_id).unwrap();
                if shelf.available + delta < 0 {
                    return Outcome::Refused(Refusal::OutOfStock(*product_id));
                }
                shelf.available += delta;
                Outcome::Adjusted {
                    available: shelf.available,
                }
            }
            Command::GiveBack(units) => {
                for taken in units {
                    self.owe(taken.deal_id, taken.units);
                }
                Outcome::Done
            }
        }
    }

    fn owe(&mut self, deal_id: DealId, units: i64) {
        if let Some(deal) = self.deals.get_mut(&deal_id).filter(|deal| deal.is_open()) {
            deal.owed += units;
        }
    }

    fn take(&mut self, take: &Take) -> Outcome {
        if let Some(hold) = self.holds.get(&take.order_id) {
            let outcome = Self::answer(hold, take, self.now);
            for (deal_id, line) in deal_lines(take) {
                self.owe(deal_id, line.gate_units);
            }
            return outcome;
        }
        let offers: Vec<_> = take
            .lines
            .iter()
            .map(|line| self.offer(take, line))
            .collect();
        let reroutes = offers.iter().any(|offer| matches!(offer, Err(No::Reroute)));
        let refusal = offers.iter().find_map(|offer| match offer {
            Err(No::Refused(refusal)) => Some(*refusal),
            _ => None,
        });
        if reroutes || refusal.is_some() {
            for (deal_id, line) in deal_lines(take) {
                let left = self
                    .deals
                    .get(&deal_id)
                    .map_or(0, |deal| deal.units.available);
                let enough = left >= line.quantity.units();
                let owed = if enough {
                    line.gate_units
                } else {
                    line.gate_units.min(left)
                };
                self.owe(deal_id, owed);
            }
            return match refusal {
                Some(refusal) if !reroutes => Outcome::Refused(refusal),
                _ => Outcome::Rerouted,
            };
        }
        self.hold(take, offers.into_iter().filter_map(Result::ok).collect())
    }

    fn answer(hold: &Hold, take: &Take, now: Timestamp) -> Outcome {
        let wanted = take
            .lines
            .iter()
            .map(|line| (line.product_id, line.quantity));
        let held = hold
            .lines
            .iter()
            .map(|line| (line.product_id, line.quantity));
        let is_same = hold.user_id == Some(take.user_id) && wanted.eq(held);
        match &hold.end {
            Some(HoldEnd::Released { .. } | HoldEnd::Returned { .. }) => {
                Outcome::Refused(Refusal::HoldEnded)
            }
            _ if !is_same => Outcome::Refused(Refusal::OrderIdReused),
            None if hold.expires_at <= now => Outcome::Refused(Refusal::HoldEnded),
            None | Some(HoldEnd::Sold { .. }) => Outcome::Taken(Taken {
                lines: taken_lines(hold, &[]),
                expires_at: hold.expires_at,
                is_replay: true,
            }),
        }
    }

    /// The deal, the price and what will be left.
    fn offer(&self, take: &Take, line: &TakeLine) -> Result<(Option<DealId>, Money, i64), No> {
        let product_id = line.product_id;
        let units = line.quantity.units();
        let too_few = || No::Refused(Refusal::OutOfStock(product_id));
        let Route::Deal(deal_id) = line.route else {
            if self.open_deal(product_id).is_some() {
                return Err(No::Reroute);
            }
            if line.deal_wanted.is_some() {
                return Err(No::Refused(Refusal::DealNotOpen(product_id)));
            }
            let left = self.shelves[&product_id].available - units;
            let price = Money::try_from(PRICE).unwrap();
            return if left < 0 {
                Err(too_few())
            } else {
                Ok((None, price, left))
            };
        };
        if self.open_deal(product_id) != Some(deal_id) {
            return Err(No::Reroute);
        }
        let deal = &self.deals[&deal_id];
        let is_wanted = line.deal_wanted.is_none_or(|wanted| wanted == deal_id);
        if !is_wanted || deal.state != DealState::Sells || deal.is_past(self.now) {
            return Err(No::Refused(Refusal::DealNotOpen(product_id)));
        }
        let has = self.bought(deal_id, take.user_id);
        if deal.limit.is_some_and(|limit| has + units > limit) {
            return Err(No::Refused(Refusal::PerUserLimit(product_id)));
        }
        let left = deal.units.available - units;
        if left < 0 {
            Err(too_few())
        } else {
            Ok((Some(deal_id), deal.price, left))
        }
    }

    fn hold(&mut self, take: &Take, offers: Vec<(Option<DealId>, Money, i64)>) -> Outcome {
        let mut lines = Vec::new();
        let mut left = Vec::new();
        for (line, (deal_id, unit_price, remaining)) in take.lines.iter().zip(offers) {
            lines.push(HeldLine {
                product_id: line.product_id,
                deal_id,
                name: NAME.into(),
                quantity: line.quantity,
                unit_price,
            });
            left.push(remaining);
            let units = self.units(line.product_id, deal_id);
            units.available -= line.quantity.units();
            units.held += line.quantity.units();
        }
        let hold = Hold {
            user_id: Some(take.user_id),
            lines,
            expires_at: self.now.plus(take.hold_ttl),
            end: None,
        };
        let taken = Taken {
            lines: taken_lines(&hold, &left),
            expires_at: hold.expires_at,
            is_replay: false,
        };
        self.holds.insert(take.order_id, hold);
        Outcome::Taken(taken)
    }

    fn units(&mut self, product_id: ProductId, deal_id: Option<DealId>) -> &mut Units {
        match deal_id {
            Some(deal_id) => &mut self.deals.get_mut(&deal_id).unwrap().units,
            None => self.shelves.get_mut(&product_id).unwrap(),
        }
    }

    fn confirm(&mut self, order_id: OrderId) -> Outcome {
        let now = self.now;
        let Some(hold) = self.holds.get_mut(&order_id) else {
            return Outcome::Unknown;
        };
        match &hold.end {
            Some(sold @ HoldEnd::Sold { .. }) => return Outcome::Ended(sold.clone()),
            Some(_) => return Outcome::Refused(Refusal::HoldEnded),
            None if hold.expires_at <= now => return Outcome::Refused(Refusal::HoldEnded),
            None => hold.end = Some(HoldEnd::Sold { at: now }),
        }
        for line in hold.lines.clone() {
            let units = self.units(line.product_id, line.deal_id);
            units.held -= line.quantity.units();
            units.sold += line.quantity.units();
        }
        Outcome::Ended(HoldEnd::Sold { at: now })
    }

    fn restore(&mut self, order_id: OrderId, reason: &str) -> Outcome {
        match self.holds.get(&order_id).map(|hold| hold.end.clone()) {
            Some(Some(end)) => Outcome::Ended(end),
            Some(None) => self.release(order_id, reason),
            None => {
                let tombstone = Hold {
                    user_id: None,
                    lines: vec![],
                    expires_at: self.now,
                    end: None,
                };
                self.holds.insert(order_id, tombstone);
                self.release(order_id, reason)
            }
        }
    }

    fn take_back(&mut self, order_id: OrderId, reason: &str) -> Outcome {
        match self.holds.get(&order_id).map(|hold| hold.end.clone()) {
            Some(Some(HoldEnd::Sold { .. })) => {}
            Some(_) => return self.restore(order_id, reason),
            None => return Outcome::Unknown,
        }
        let end = HoldEnd::Returned {
            at: self.now,
            reason: reason.into(),
        };
        let hold = self.holds.get_mut(&order_id).unwrap();
        hold.end = Some(end.clone());
        let lines = hold.lines.clone();
        for line in &lines {
            self.units(line.product_id, line.deal_id).sold -= line.quantity.units();
        }
        self.free(&lines);
        Outcome::Ended(end)
    }

    fn release(&mut self, order_id: OrderId, reason: &str) -> Outcome {
        let end = HoldEnd::Released {
            at: self.now,
            reason: reason.into(),
        };
        let hold = self.holds.get_mut(&order_id).unwrap();
        hold.end = Some(end.clone());
        let lines = hold.lines.clone();
        for line in &lines {
            self.units(line.product_id, line.deal_id).held -= line.quantity.units();
        }
        self.free(&lines);
        Outcome::Ended(end)
    }

    fn free(&mut self, lines: &[HeldLine]) {
        for line in lines {
            let units = line.quantity.units();
            let lasting = line.deal_id.filter(|id| self.deals[id].is_open());
            self.units(line.product_id, lasting).available += units;
            if let Some(deal_id) = lasting {
                self.owe(deal_id, units);
            }
        }
    }

    fn open(&mut self, terms: &OpenDeal) -> Outcome {
        if let Some(open) = self.open_deal(terms.product_id) {
            return Outcome::DealOpen(open);
        }
        if terms.ends_at.is_some_and(|end| end <= self.now) {
            return Outcome::EndsInThePast;
        }
        let shelf = self.shelves.get_mut(&terms.product_id).unwrap();
        let units = terms.units.unwrap_or(shelf.available);
        if !(1..=shelf.available).contains(&units) {
            return Outcome::Refused(Refusal::OutOfStock(terms.product_id));
        }
        shelf.available -= units;
        let deal = Deal {
            product_id: terms.product_id,
            units: Units {
                available: units,
                ..Units::default()
            },
            owed: 0,
            state: DealState::Sells,
            planned: units,
            has_opened: true,
            price: terms.unit_price.unwrap_or(Money::try_from(PRICE).unwrap()),
            limit: terms.per_user_limit,
            starts_at: self.now,
            ends_at: terms.ends_at,
        };
        self.deals.insert(terms.deal_id, deal);
        Outcome::DealOpen(terms.deal_id)
    }

    fn end(&mut self, deal_id: DealId) -> Outcome {
        let Some(deal) = self.deals.get_mut(&deal_id) else {
            return Outcome::Unknown;
        };
        let was_over = deal.state == DealState::Over;
        deal.state = DealState::Over;
        let left = std::mem::take(&mut deal.units.available);
        self.shelves.get_mut(&deal.product_id).unwrap().available += left;
        deal.stands(!was_over)
    }

    fn plan(&mut self, plan: &ScheduleDeal) -> Outcome {
        if plan.ends_at <= self.now {
            return Outcome::EndsInThePast;
        }
        for (id, other) in &self.deals {
            let is_rival = other.product_id == plan.product_id && other.state != DealState::Over;
            let begins_in_time = other.ends_at.is_none_or(|end| plan.starts_at < end);
            if is_rival && begins_in_time && other.starts_at < plan.ends_at {
                return Outcome::Overlaps(*id);
            }
        }
        let deal = Deal {
            product_id: plan.product_id,
            units: Units::default(),
            owed: 0,
            state: DealState::Planned,
            planned: plan.units,
            has_opened: false,
            price: plan.unit_price,
            limit: plan.per_user_limit,
            starts_at: plan.starts_at,
            ends_at: Some(plan.ends_at),
        };
        let outcome = deal.stands(true);
        self.deals.insert(plan.deal_id, deal);
        outcome
    }

    fn start(&mut self, deal_id: DealId) -> Outcome {
        let now = self.now;
        let Some(deal) = self.deals.get(&deal_id) else {
            return Outcome::Unknown;
        };
        let blocked = self.open_deal(deal.product_id).is_some();
        let deal = self.deals.get_mut(&deal_id).unwrap();
        if deal.state != DealState::Planned {
            return deal.stands(false);
        }
        if deal.is_past(now) {
            deal.state = DealState::Over;
            return deal.stands(true);
        }
        if now < deal.starts_at || blocked {
            return deal.stands(false);
        }
        let shelf = self.shelves.get_mut(&deal.product_id).unwrap();
        let units = deal.planned.min(shelf.available);
        shelf.available -= units;
        deal.units.available = units;
        deal.has_opened = true;
        deal.state = DealState::Sells;
        deal.stands(true)
    }

    fn cancel(&mut self, deal_id: DealId) -> Outcome {
        match self.deals.get_mut(&deal_id) {
            None => Outcome::Unknown,
            Some(deal) if deal.has_opened => {
                Outcome::Refused(Refusal::DealNotScheduled(deal.product_id))
            }
            Some(deal) => {
                let was_over = deal.state == DealState::Over;
                deal.state = DealState::Over;
                deal.stands(!was_over)
            }
        }
    }

    fn set(&mut self, deal_id: DealId, state: DealState) -> Outcome {
        match self.deals.get_mut(&deal_id) {
            None => Outcome::Unknown,
            Some(deal) if !deal.is_open() => {
                Outcome::Refused(Refusal::DealNotOpen(deal.product_id))
            }
            Some(deal) => {
                let has_changed = deal.state != state;
                deal.state = state;
                deal.stands(has_changed)
            }
        }
    }

    fn restock(&mut self, deal_id: DealId, delta: i64) -> Outcome {
        match self.deals.get_mut(&deal_id) {
            None => Outcome::Unknown,
            Some(deal) if !deal.is_open() => {
                Outcome::Refused(Refusal::DealNotOpen(deal.product_id))
            }
            Some(deal) if deal.units.available + delta < 0 => {
                Outcome::Refused(Refusal::OutOfStock(deal.product_id))
            }
            Some(deal) => {
                deal.units.available += delta;
                deal.owed += delta.max(0);
                deal.stands(true)
            }
        }
    }
}

fn deal_lines(take: &Take) -> impl Iterator<Item = (DealId, &TakeLine)> {
    take.lines.iter().filter_map(|line| match line.route {
        Route::Deal(deal_id) => Some((deal_id, line)),
        Route::Shelf => None,
    })
}

fn taken_lines(hold: &Hold, left: &[i64]) -> Vec<TakenLine> {
    let line = |(at, held): (usize, &HeldLine)| TakenLine {
        held: held.clone(),
        remaining: left.get(at).copied(),
    };
    hold.lines.iter().enumerate().map(line).collect()
}
