//! Watching deals: whoever watches gets a deal as it stands, and again whenever it has changed.
//!
//! However many watch, the process reads the watched deals with one question: soon after a commit of its
//! own, and every `POLL_EVERY` for what other replicas do. It asks nothing while nobody watches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::DealId;
use futures::{Stream, stream};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    ledger::deal::{DealRow, DealStatus},
    metrics,
    stock::StockError,
    store::Store,
};

/// How late a change that another replica made may be seen.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// Between two readings, so that a watcher is told at most ten times a second.
const PAUSE: Duration = Duration::from_millis(100);
/// Watchers at once in one process; further ones are refused.
const WATCHERS_MAX: usize = 1_024;

/// The deals that are watched in this process; clones share them.
#[derive(Debug, Clone)]
pub struct Watches(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    watched: Mutex<HashMap<DealId, watch::Sender<DealRow>>>,
    permits: Arc<Semaphore>,
    /// One reading at a time, so that nobody is told what was before after what is.
    reading: tokio::sync::Mutex<()>,
    news: Notify,
    closed: CancellationToken,
}

impl Watches {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(Inner {
            store,
            watched: Mutex::default(),
            permits: Arc::new(Semaphore::new(WATCHERS_MAX)),
            reading: tokio::sync::Mutex::default(),
            news: Notify::new(),
            closed: CancellationToken::new(),
        }))
    }

    /// The deal as it stands, and again whenever it has changed, until it has ended or [`Watches::close`].
    /// A slow watcher misses what was in between.
    ///
    /// # Errors
    /// [`StockError::NotFound`] for an unknown id, [`StockError::Overloaded`] when too many watch; else see
    /// [`StockError`].
    pub async fn watch(
        &self,
        deal_id: DealId,
    ) -> Result<impl Stream<Item = DealRow> + Send + use<>, StockError> {
        let permits = Arc::clone(&self.0.permits);
        let permit = permits
            .try_acquire_owned()
            .map_err(|_| StockError::Overloaded)?;
        let receiver = self.subscribe(deal_id).await?;
        self.0.news.notify_one();
        let watching = Watching {
            receiver,
            closed: self.0.closed.clone(),
            is_over: false,
            _counted: Counted::new(permit),
        };
        Ok(stream::unfold(watching, |mut watching| async {
            let deal = watching.next().await?;
            Some((deal, watching))
        }))
    }

    async fn subscribe(&self, deal_id: DealId) -> Result<watch::Receiver<DealRow>, StockError> {
        let _reading = self.0.reading.lock().await;
        let deal = self.0.store.deal(deal_id).await?;
        let deal = deal.ok_or(StockError::NotFound)?;
        let mut watched = self.watched();
        let sender = watched
            .entry(deal_id)
            .or_insert_with(|| watch::Sender::new(deal.clone()));
        publish(sender, deal);
        let mut receiver = sender.subscribe();
        receiver.mark_changed();
        Ok(receiver)
    }

    /// Something was committed here that may have changed a deal.
    pub(crate) fn nudge(&self) {
        if !self.watched().is_empty() {
            self.0.news.notify_one();
        }
    }

    /// Ends all streams, and those that are opened later after their first item: a stream that stays open
    /// would keep a server from stopping.
    pub fn close(&self) {
        self.0.closed.cancel();
    }

    /// Reads what is watched until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let is_idle = self.watched().is_empty();
            let news = async {
                match is_idle {
                    true => self.0.news.notified().await,
                    false => _ = timeout(POLL_EVERY, self.0.news.notified()).await,
                }
            };
            _ = stop.run_until_cancelled(news).await;
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "watched deals cannot be read");
            }
            _ = stop.run_until_cancelled(sleep(PAUSE)).await;
        }
    }

    async fn read(&self) -> Result<(), sqlx::Error> {
        let _reading = self.0.reading.lock().await;
        let ids: Vec<DealId> = {
            let mut watched = self.watched();
            watched.retain(|_, sender| sender.receiver_count() > 0);
            watched.keys().copied().collect()
        };
        if ids.is_empty() {
            return Ok(());
        }
        let deals = self.0.store.deals(&ids).await?;
        let mut watched = self.watched();
        for deal in deals {
            let (id, is_over) = (deal.id, deal.status == DealStatus::Ended);
            if let Some(sender) = watched.get(&id) {
                publish(sender, deal);
            }
            if is_over {
                watched.remove(&id);
            }
        }
        Ok(())
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<DealId, watch::Sender<DealRow>>> {
        self.0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the gate is owed is nobody's to watch: a change of it alone is none.
fn publish(sender: &watch::Sender<DealRow>, now: DealRow) {
    sender.send_if_modified(|known| {
        let owed = now.owed;
        let has_changed = DealRow {
            owed,
            ..known.clone()
        } != now;
        *known = now;
        has_changed
    });
}

struct Watching {
    receiver: watch::Receiver<DealRow>,
    closed: CancellationToken,
    is_over: bool,
    _counted: Counted,
}

impl Watching {
    async fn next(&mut self) -> Option<DealRow> {
        if self.is_over {
            return None;
        }
        let changed = self.receiver.changed();
        // What is new already is told even to those who come after the close.
        tokio::select! {
            biased;
            changed = changed => changed.ok()?,
            () = self.closed.cancelled() => return None,
        }
        let deal = self.receiver.borrow_and_update().clone();
        self.is_over = deal.status == DealStatus::Ended;
        Some(deal)
    }
}

/// A place among the watchers, counted while it is taken.
struct Counted {
    _permit: OwnedSemaphorePermit,
}

impl Counted {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::watchers_changed(1.0);
        Self { _permit: permit }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::watchers_changed(-1.0);
    }
}
