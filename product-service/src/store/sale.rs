//! A sale: a transaction of nothing but first takes from running deals, which is nearly every one while a deal
//! is hot. It is one statement and one round trip.
//!
//! What is decided is decided as always, by [`decide`], but over the deals as they are [`Remembered`] instead of
//! locked. The function `take_sale` of the database then locks the rows in the order of every transaction, checks
//! each assumption under the locks, and writes; if one does not hold it raises an error and nothing has happened.
//! Why this is safe stands in `docs/adr/0009-a-sale-is-one-statement.md`.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use domain::{BatchId, DealId, Quantity, Timestamp};
use sql::list::array;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    ledger::{
        book::{Book, DealChange},
        command::{Bundle, Command, Outcome, Route, Settled},
        deal::DealRow,
        decide::decide,
        hold::Hold,
    },
    metrics,
    store::{commit::CommitError, remembered::Remembered, rows::StoredLine, write::changed_buyers},
};

/// How long the statement may take: it waits for a lock up to a second, and for the disk. What takes longer
/// is looked up.
const SALE_TIMEOUT: Duration = Duration::from_secs(2);

/// Its answer arrives only with the end of the transaction, for which `fetch_one` waits.
const TAKE: &str = "
    SELECT clock_us, available FROM take_sale($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// What is to be taken together, and what was decided about it if all is as remembered.
pub(super) struct Sale<'a> {
    bundles: &'a [Bundle],
    /// By bundle. When a hold ends, and what remains, is known only by the answer.
    outcomes: Vec<Vec<Outcome>>,
    book: Book,
}

/// What the statement tells: the clock under the locks, and what is left of each deal, by id.
type Told = (i64, Vec<i64>);

impl<'a> Sale<'a> {
    /// The bundles as a sale, if they are one as far as this process remembers.
    pub(super) fn of(bundles: &'a [Bundle], remembered: &Remembered) -> Option<Self> {
        let mut book = remembered.book(deals_of(bundles)?)?;
        let mut decided = |bundle: &Bundle| {
            let commands = bundle.commands.iter();
            let outcomes = commands.map(|command| Some(decide(&mut book, command)).filter(is_new));
            outcomes.collect()
        };
        let outcomes = bundles
            .iter()
            .map(&mut decided)
            .collect::<Option<Vec<_>>>()?;
        let owes = book.changes.deals.values().any(|change| change.owed > 0);
        (!owes).then_some(Self {
            bundles,
            outcomes,
            book,
        })
    }

    /// Takes it under `txn_id`. `None`: nothing has happened, and the same bundles may be taken under the same
    /// id by the transaction that assumes nothing.
    ///
    /// # Errors
    /// [`CommitError::Lost`] and [`CommitError::Retry`].
    pub(super) async fn take(
        self,
        connection: &mut PgConnection,
        txn_id: BatchId,
        remembered: &Remembered,
    ) -> Result<Option<Settled>, CommitError> {
        let error = match sql::within(SALE_TIMEOUT, self.run(connection, txn_id)).await {
            Ok(told) => {
                metrics::sale("taken");
                let (settled, book) = self.settle(told);
                remembered.note(book);
                return Ok(Some(settled));
            }
            Err(error) => error,
        };
        remembered.forget(self.book.deals.keys());
        if sql::is_unclear(&error) {
            metrics::sale("lost");
            return Err(CommitError::Lost(error));
        }
        metrics::sale("abandoned");
        if sql::is_retryable(&error) {
            return Err(CommitError::Retry(error));
        }
        tracing::debug!(%error, "something is not as it was remembered");
        Ok(None)
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        txn_id: BatchId,
    ) -> Result<Told, sqlx::Error> {
        let deals: Vec<(&DealRow, &DealChange)> = self.deals().collect();
        let holds: Vec<&Hold> = self.holds().collect();
        let (kinds, line_kinds) = line_kinds(&holds);
        let buyers = changed_buyers(&self.book);
        sqlx::query_as(TAKE)
            .bind(self.batch_ids(txn_id))
            .bind(array(&deals, |(deal, _)| deal.id.0))
            .bind(each(&deals, |(deal, _)| deal.number))
            .bind(each(&deals, |(deal, _)| deal.unit_price.minor()))
            .bind(each(&deals, |(deal, _)| deal.product_name.as_str()))
            .bind(each(&deals, |(deal, _)| deal.per_user_limit))
            .bind(each(&deals, |(_, change)| change.sums.held))
            .bind(array(&holds, |hold| hold.order_id.0))
            .bind(each(&holds, |hold| hold.user_id.map(|id| id.0)))
            .bind(kinds)
            .bind(each(&holds, |hold| ttl_us(hold)))
            .bind(line_kinds)
            .bind(array(&buyers, |buyer| buyer.deal_id.0))
            .bind(array(&buyers, |buyer| buyer.user_id.0))
            .bind(each(&buyers, |buyer| buyer.units))
            .bind(each(&buyers, |buyer| buyer.per_user_limit))
            .fetch_one(connection)
            .await
    }

    /// The ids to record, sorted.
    fn batch_ids(&self, txn_id: BatchId) -> Vec<Uuid> {
        let batches = self.bundles.iter().flat_map(|bundle| &bundle.gate_batches);
        let ids = batches.map(|batch| batch.batch_id).chain([txn_id]);
        let sorted: BTreeSet<BatchId> = ids.collect();
        sorted.into_iter().map(|id| id.0).collect()
    }

    /// What moves, by id.
    fn deals(&self) -> impl Iterator<Item = (&DealRow, &DealChange)> {
        let changes = self.book.changes.deals.iter();
        changes.filter_map(|(id, change)| Some((self.book.deals.get(id)?, change)))
    }

    /// What is new, by order id.
    fn holds(&self) -> impl Iterator<Item = &Hold> {
        let ids = self.book.changes.holds.keys();
        ids.filter_map(|id| self.book.holds.get(id))
    }

    /// Tells what was decided with the clock that counted and with what is left, and the deals as they are now.
    fn settle(mut self, (clock_us, available): Told) -> (Settled, Book) {
        self.book.now = Timestamp::from_micros(clock_us);
        let mut more: HashMap<DealId, i64> = HashMap::new();
        for (id, available) in self.book.changes.deals.keys().zip(available) {
            if let Some(deal) = self.book.deals.get_mut(id) {
                more.insert(*id, available - deal.sums.available);
                deal.sums.available = available;
            }
        }
        let commands = self.bundles.iter().flat_map(|bundle| &bundle.commands);
        for (command, outcome) in commands.zip(self.outcomes.iter_mut().flatten()) {
            if let (Command::Take(take), Outcome::Taken(taken)) = (command, outcome) {
                taken.expires_at = self.book.now.plus(take.hold_ttl);
                for line in &mut taken.lines {
                    let more = line.held.deal_id.and_then(|id| more.get(&id));
                    line.remaining = line.remaining.zip(more).map(|(left, more)| left + more);
                }
            }
        }
        let settled = Settled {
            outcomes: self.outcomes,
            owed: Vec::new(),
            left: self.book.left(),
        };
        (settled, self.book)
    }
}

/// The deals that all lines are routed to, if there is nothing else to do.
fn deals_of(bundles: &[Bundle]) -> Option<BTreeSet<DealId>> {
    let mut deals = BTreeSet::new();
    for bundle in bundles {
        let came_by_the_gate = !bundle.gate_batches.is_empty();
        for command in &bundle.commands {
            match command {
                Command::Take(take) => {
                    for line in &take.lines {
                        let Route::Deal(deal_id) = line.route else {
                            return None;
                        };
                        // The gate let it pass without taking units: it has been here before.
                        if came_by_the_gate && line.gate_units == 0 {
                            return None;
                        }
                        deals.insert(deal_id);
                    }
                }
                Command::GiveBack(units) if units.is_empty() => {}
                _ => return None,
            }
        }
    }
    (!deals.is_empty()).then_some(deals)
}

/// A hold that was not there before, or nothing at all.
fn is_new(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Taken(taken) => !taken.is_replay,
        outcome => *outcome == Outcome::Done,
    }
}

fn ttl_us(hold: &Hold) -> i64 {
    hold.expires_at.as_micros() - hold.created_at.as_micros()
}

fn each<'r, T, V>(rows: &'r [T], value: impl Fn(&'r T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// The different contents that the holds' lines have, and each hold's position among them, counted from 1. Most
/// orders of a sale are alike, and what a hold holds is the dearest part of it to send and to read.
fn line_kinds(holds: &[&Hold]) -> (Vec<i32>, Vec<Json<Vec<StoredLine>>>) {
    let mut positions: HashMap<Vec<(Option<DealId>, Quantity)>, i32> = HashMap::new();
    let mut kinds = Vec::new();
    let mut position = |hold: &Hold| {
        // Of one deal all have the same name and price.
        let lines = hold.lines.iter().map(|line| (line.deal_id, line.quantity));
        *positions.entry(lines.collect()).or_insert_with(|| {
            kinds.push(Json(hold.lines.iter().map(StoredLine::from).collect()));
            i32::try_from(kinds.len()).unwrap_or(i32::MAX)
        })
    };
    let positions = holds.iter().map(|hold| position(hold)).collect();
    (positions, kinds)
}
