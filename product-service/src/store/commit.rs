//! One transaction for all commands that wait: of one statement if it is a `Sale`, else of several.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use domain::{BatchId, OrderId, ProductId, Timestamp};
use sql::{Database, Transaction};
use sqlx::PgConnection;

use crate::{
    ledger::{
        book::Book,
        command::{Bundle, Command, GateBatch, Left, Outcome, Owed, Settled},
        decide::decide,
    },
    store::{Store, answered, batches, holds, lock::lock, sale::Sale, write::write},
};

/// Why a transaction did not (or may not) commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It may have committed: look its id up with [`Store::has_committed`] before saying anything.
    #[error("the commit was not answered: {source}")]
    Unclear {
        /// What it decided, true if it committed.
        settled: Settled,
        /// What happened to the connection.
        source: sqlx::Error,
    },
    /// A sale that may have committed, and what it said is not known. Look its id up with
    /// [`Store::has_committed`], so that it has or never will, then try the same bundles under a new id: what
    /// it took answers them.
    #[error("a sale was not answered: {0}")]
    Lost(sqlx::Error),
    /// It did not commit; the same bundles may be tried again.
    #[error("the transaction did not commit: {0}")]
    Retry(sqlx::Error),
    /// It did not commit: another replica took one of its order ids; try again at once.
    #[error("another replica took one of the order ids")]
    Raced,
    /// It did not commit and never will: its id is recorded already, as void if somebody has given the
    /// transaction up; try again under a new one.
    #[error("the transaction's id is recorded already")]
    Recorded,
    /// It did not commit and would not: a constraint or a falsified row is in the way of one of its
    /// commands. [`Store::commit_apart`] finds out of which.
    #[error("the database refused the transaction: {0}")]
    Refused(sqlx::Error),
}

/// How long a connection may take to begin: one that has fallen silent is known by its first statement.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the statements may take: each waits for its locks up to a second.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the commit may take, which waits for a busy disk.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Of a statement before the commit: nothing has happened for certain.
impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        if sql::is_retryable(&error) || sql::is_unclear(&error) {
            Self::Retry(error)
        } else {
            Self::Refused(error)
        }
    }
}

/// How the commands of a transaction meet the database.
#[derive(Clone, Copy)]
enum Mode {
    /// In one set of statements.
    Together,
    /// Each within a savepoint, so that one which the database refuses fails alone.
    Apart,
}

impl Store {
    /// Commits the bundles together under `txn_id`, which must be new.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(
        &self,
        txn_id: BatchId,
        bundles: &[Bundle],
    ) -> Result<Settled, CommitError> {
        self.transact(txn_id, bundles, Mode::Together).await
    }

    /// As [`Store::commit`], but a command that the database refuses fails alone, as
    /// [`Outcome::Failed`].
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit_apart(
        &self,
        txn_id: BatchId,
        bundles: &[Bundle],
    ) -> Result<Settled, CommitError> {
        self.transact(txn_id, bundles, Mode::Apart).await
    }

    /// Whether a transaction whose commit was not answered has committed. Should it not have, it
    /// never will: its id is recorded as void.
    ///
    /// # Errors
    /// When the database does not answer; ask again.
    pub async fn has_committed(&self, txn_id: BatchId) -> Result<bool, sqlx::Error> {
        let look_up = async {
            let mut tx = self.database.begin().await?;
            batches::record(&mut tx, &[txn_id], true).await?;
            // It may be void already: by an earlier look-up whose own answer was lost.
            let is_void = batches::is_void(&mut tx, txn_id).await?;
            tx.commit().await?;
            Ok(!is_void)
        };
        answered(look_up).await
    }

    async fn transact(
        &self,
        txn_id: BatchId,
        bundles: &[Bundle],
        mode: Mode,
    ) -> Result<Settled, CommitError> {
        match &self.database {
            Database::Postgres(server) => {
                let mut connection = server.working().await?;
                let settled = match self.sell(&mut connection, txn_id, bundles, mode).await? {
                    Some(settled) => settled,
                    None => {
                        let tx = sql::within(BEGIN_TIMEOUT, connection.begin()).await?;
                        let tx = Transaction::Postgres(tx);
                        self.settle_and_commit(tx, txn_id, bundles, mode).await?
                    }
                };
                connection.keep();
                Ok(settled)
            }
            Database::Sqlite(_) => {
                // A file does not fall silent, and its one writer may be at another commit.
                let tx = sql::within(COMMIT_TIMEOUT, self.database.begin()).await?;
                self.settle_and_commit(tx, txn_id, bundles, mode).await
            }
        }
    }

    /// As one statement, if they are a sale; `None` if they are none, and nothing has happened.
    async fn sell(
        &self,
        connection: &mut PgConnection,
        txn_id: BatchId,
        bundles: &[Bundle],
        mode: Mode,
    ) -> Result<Option<Settled>, CommitError> {
        let sale = match mode {
            Mode::Together => Sale::of(bundles, &self.remembered),
            Mode::Apart => None,
        };
        match sale {
            Some(sale) => sale.take(connection, txn_id, &self.remembered).await,
            None => Ok(None),
        }
    }

    async fn settle_and_commit(
        &self,
        mut tx: Transaction<'_>,
        txn_id: BatchId,
        bundles: &[Bundle],
        mode: Mode,
    ) -> Result<Settled, CommitError> {
        let settling = settle(&mut tx, txn_id, bundles, mode);
        let (settled, book) = sql::within(SETTLE_TIMEOUT, settling).await?;
        match sql::within(COMMIT_TIMEOUT, tx.commit()).await {
            Ok(()) => {
                if let Some(book) = book {
                    self.remembered.note(book);
                }
                Ok(settled)
            }
            Err(source) if sql::is_unclear(&source) => {
                Err(CommitError::Unclear { settled, source })
            }
            Err(error) => Err(CommitError::from(error)),
        }
    }
}

/// What is decided and written but not committed, and the book it was decided over.
async fn settle(
    tx: &mut Transaction<'_>,
    txn_id: BatchId,
    bundles: &[Bundle],
    mode: Mode,
) -> Result<(Settled, Option<Book>), CommitError> {
    let mut ids = BTreeSet::from([txn_id]);
    ids.extend(
        bundles
            .iter()
            .flat_map(|b| &b.gate_batches)
            .map(|gate| gate.batch_id),
    );
    let ids: Vec<BatchId> = ids.into_iter().collect();
    let recorded = batches::record(tx, &ids, false).await?;
    if !recorded.new.contains(&txn_id) {
        return Err(CommitError::Recorded);
    }
    let bundles: Vec<Admitted> = bundles
        .iter()
        .map(|bundle| Admitted::new(bundle, &recorded.new))
        .collect();
    let commands: Vec<&Command> = bundles
        .iter()
        .flat_map(|bundle| &*bundle.commands)
        .collect();
    let clock = Timestamp::from_micros(recorded.clock_us);
    let (decided, book) = match mode {
        Mode::Together => {
            let (decided, book) = together(tx, &commands, clock).await?;
            (decided, Some(book))
        }
        Mode::Apart => (apart(tx, &commands, clock).await?, None),
    };
    let mut outcomes = decided.outcomes.into_iter();
    let mut of_bundle = |bundle: &Admitted| -> Vec<Outcome> {
        let decided = outcomes.by_ref().take(bundle.commands.len());
        if bundle.is_void {
            decided.map(|_| Outcome::BatchVoided).collect()
        } else {
            decided.collect()
        }
    };
    let settled = Settled {
        outcomes: bundles.iter().map(&mut of_bundle).collect(),
        owed: decided.owed,
        left: decided.left,
    };
    Ok((settled, book))
}

/// A bundle once its gate batches are recorded: to be decided, or, if one of them was void already,
/// to be sent through the gate again.
struct Admitted<'a> {
    is_void: bool,
    commands: Cow<'a, [Command]>,
}

impl<'a> Admitted<'a> {
    fn new(bundle: &'a Bundle, new: &HashSet<BatchId>) -> Self {
        let (fresh, void): (Vec<&GateBatch>, Vec<&GateBatch>) = bundle
            .gate_batches
            .iter()
            .partition(|gate| new.contains(&gate.batch_id));
        if void.is_empty() {
            return Self {
                is_void: false,
                commands: Cow::Borrowed(&bundle.commands),
            };
        }
        // The voided batches' units were owed when they were voided; what the others took is owed now.
        let is_fresh =
            |product_id: ProductId| fresh.iter().any(|gate| gate.product_id == product_id);
        let give_back = |command: &Command| {
            let mut units = match command {
                Command::Take(take) => take.gate_units(),
                Command::GiveBack(units) => units.clone(),
                _ => Vec::new(),
            };
            units.retain(|taken| is_fresh(taken.product_id));
            Command::GiveBack(units)
        };
        Self {
            is_void: true,
            commands: bundle.commands.iter().map(give_back).collect(),
        }
    }
}

/// What was decided about commands, in their order, and what follows from it.
struct Decided {
    outcomes: Vec<Outcome>,
    owed: Vec<Owed>,
    left: Vec<Left>,
}

async fn together(
    tx: &mut Transaction<'_>,
    commands: &[&Command],
    clock: Timestamp,
) -> Result<(Decided, Book), CommitError> {
    let mut book = lock(tx, commands, clock).await?;
    let strangers = strangers(commands, &book);
    let outcomes: Vec<Outcome> = commands
        .iter()
        .map(|command| decide(&mut book, command))
        .collect();
    raced(tx, commands, &outcomes, &strangers).await?;
    write(tx, &book).await?;
    let decided = Decided {
        outcomes,
        owed: owed(&book),
        left: book.left(),
    };
    Ok((decided, book))
}

/// Orders that had no hold when the locks were taken.
fn strangers(commands: &[&Command], book: &Book) -> HashSet<OrderId> {
    let order_ids = commands.iter().filter_map(|command| command.order_id());
    order_ids
        .filter(|order_id| !book.holds.contains_key(order_id))
        .collect()
}

/// A hold that does not exist cannot be locked, so another replica may have taken it while this one
/// waited for the deal; nobody who holds a unit hears that he has none. An insert finds that out by
/// itself, a refusal has to look again, now that it has its locks.
async fn raced(
    tx: &mut Transaction<'_>,
    commands: &[&Command],
    outcomes: &[Outcome],
    strangers: &HashSet<OrderId>,
) -> Result<(), CommitError> {
    let refused = commands.iter().zip(outcomes).filter_map(|pair| match pair {
        (Command::Take(take), Outcome::Refused(_)) => Some(take.order_id),
        _ => None,
    });
    let order_ids: Vec<OrderId> = refused.filter(|id| strangers.contains(id)).collect();
    if order_ids.is_empty() {
        return Ok(());
    }
    match holds::exists(tx, &order_ids).await? {
        true => Err(CommitError::Raced),
        false => Ok(()),
    }
}

async fn apart(
    tx: &mut Transaction<'_>,
    commands: &[&Command],
    clock: Timestamp,
) -> Result<Decided, CommitError> {
    let mut all = Decided {
        outcomes: Vec::with_capacity(commands.len()),
        owed: Vec::new(),
        left: Vec::new(),
    };
    for command in commands {
        let one = match alone(tx, command, clock).await {
            Err(CommitError::Refused(error)) => {
                tracing::error!(%error, ?command, "the database refused a command");
                let owed = match command {
                    Command::Take(take) => {
                        let give_back = Command::GiveBack(take.gate_units());
                        match alone(tx, &give_back, clock).await {
                            Ok(decided) => decided.owed,
                            // The deal's own row is in the way; the reconciler raises its gate.
                            Err(CommitError::Refused(_)) => Vec::new(),
                            Err(error) => return Err(error),
                        }
                    }
                    _ => Vec::new(),
                };
                Decided {
                    outcomes: vec![Outcome::Failed],
                    owed,
                    left: Vec::new(),
                }
            }
            decided => decided?,
        };
        all.outcomes.extend(one.outcomes);
        all.owed.extend(one.owed);
        all.left.extend(one.left);
    }
    Ok(all)
}

async fn alone(
    tx: &mut Transaction<'_>,
    command: &Command,
    clock: Timestamp,
) -> Result<Decided, CommitError> {
    let mut savepoint = tx.savepoint().await?;
    let (decided, _) = together(&mut savepoint, &[command], clock).await?;
    savepoint.commit().await?;
    Ok(decided)
}

fn owed(book: &Book) -> Vec<Owed> {
    let grown = book
        .changes
        .deals
        .iter()
        .filter(|(_, change)| change.owed > 0);
    grown
        .filter_map(|(id, _)| book.deals.get(id))
        .map(|deal| Owed {
            product_id: deal.product_id,
            deal_number: deal.number,
            owed: deal.owed,
        })
        .collect()
}
