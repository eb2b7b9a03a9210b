//! Tells whoever watches an order how it changes. What this process changes is told at once; what another
//! replica changes is found by one question for all watched orders, asked again and again.
//!
//! States that follow each other within an instant may be told as the last of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{OrderId, UserId};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{metrics, order::Order, store::Store};

/// How often the database is asked while anybody watches.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
const POLL_AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// A buyer may have an order open in a few windows.
const WATCHES_PER_BUYER_MAX: usize = 8;

/// Why an order is not watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWatched {
    /// This buyer watches as many as he may.
    #[error("this buyer watches too much")]
    BuyerFull,
    /// As many are watched as may be.
    #[error("too much is watched")]
    Full,
}

/// Everybody who watches; cheap to clone.
#[derive(Debug, Clone)]
pub struct Watchers {
    table: Arc<Mutex<Table>>,
    room: Arc<Semaphore>,
    /// Told when somebody begins to watch: while nobody does, nothing is asked.
    begun: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Table {
    orders: HashMap<OrderId, watch::Sender<Arc<Order>>>,
    of_buyer: HashMap<UserId, usize>,
}

/// One who watches an order. It counts until it is dropped.
#[derive(Debug)]
pub struct Watch {
    watchers: Watchers,
    id: OrderId,
    buyer: UserId,
    receiver: watch::Receiver<Arc<Order>>,
    _permit: OwnedSemaphorePermit,
}

impl Watchers {
    /// Room for so many at once.
    pub fn new(watches_max: usize) -> Self {
        Self {
            table: Arc::default(),
            room: Arc::new(Semaphore::new(watches_max)),
            begun: Arc::default(),
        }
    }

    /// Watches an order that was just read.
    ///
    /// # Errors
    /// When too many watch.
    pub fn watch(&self, order: Order) -> Result<Watch, NotWatched> {
        let mut table = self.lock();
        let of_buyer = table.of_buyer.entry(order.user_id).or_default();
        if *of_buyer >= WATCHES_PER_BUYER_MAX {
            return Err(NotWatched::BuyerFull);
        }
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            if *of_buyer == 0 {
                table.of_buyer.remove(&order.user_id);
            }
            return Err(NotWatched::Full);
        };
        *of_buyer += 1;
        let (id, buyer) = (order.id, order.user_id);
        let order = Arc::new(order);
        let sender = table.orders.entry(id).or_insert_with(|| {
            let (sender, _) = watch::channel(Arc::clone(&order));
            sender
        });
        tell(sender, &order);
        let receiver = sender.subscribe();
        drop(table);
        metrics::watching(1.0);
        self.begun.notify_one();
        Ok(Watch {
            watchers: self.clone(),
            id,
            buyer,
            receiver,
            _permit: permit,
        })
    }

    /// Tells those who watch this order that it has changed.
    pub(crate) fn changed(&self, order: &Order) {
        if let Some(sender) = self.lock().orders.get(&order.id) {
            tell(sender, &Arc::new(order.clone()));
        }
    }

    /// What is watched, and the version that has been told.
    fn told(&self) -> Vec<(OrderId, i64)> {
        let mut table = self.lock();
        // Of two who leave at the same instant, each may have taken the other for one who stays.
        table.orders.retain(|_, sender| sender.receiver_count() > 0);
        let told =
            |(id, sender): (&OrderId, &watch::Sender<Arc<Order>>)| (*id, sender.borrow().version);
        table.orders.iter().map(told).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Only what is newer is told: a poll may bring what this process has told long ago.
fn tell(sender: &watch::Sender<Arc<Order>>, order: &Arc<Order>) {
    sender.send_if_modified(|told| {
        let is_newer = told.version < order.version;
        if is_newer {
            *told = Arc::clone(order);
        }
        is_newer
    });
}

impl Watch {
    /// The order as it was told last.
    pub fn latest(&mut self) -> Arc<Order> {
        Arc::clone(&self.receiver.borrow_and_update())
    }

    /// Waits until the order is another than [`Watch::latest`] was; it may be dropped while it waits.
    pub async fn changed(&mut self) {
        // The sender lives as long as its receivers do.
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut table = self.watchers.lock();
        let is_last = |sender: &watch::Sender<_>| sender.receiver_count() <= 1;
        if table.orders.get(&self.id).is_some_and(is_last) {
            table.orders.remove(&self.id);
        }
        if let Some(count) = table.of_buyer.get_mut(&self.buyer) {
            *count -= 1;
            if *count == 0 {
                table.of_buyer.remove(&self.buyer);
            }
        }
        metrics::watching(-1.0);
    }
}

/// Asks for what others have changed, until `stop`.
pub(crate) async fn run(watchers: Watchers, store: Store, stop: CancellationToken) {
    stop.run_until_cancelled(poll(&watchers, &store)).await;
}

async fn poll(watchers: &Watchers, store: &Store) {
    loop {
        let told = watchers.told();
        if told.is_empty() {
            watchers.begun.notified().await;
            continue;
        }
        let pause = match store.find_changed(&told).await {
            Ok(orders) => {
                orders.iter().for_each(|order| watchers.changed(order));
                POLL_INTERVAL
            }
            Err(error) => {
                tracing::warn!(%error, "watched orders could not be read");
                POLL_AGAIN_AFTER_FAILURE
            }
        };
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use domain::{Money, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::order::{Flow, State};

    fn order() -> Order {
        let at = Timestamp::from_micros(1);
        Order {
            id: OrderId(Uuid::from_u128(1)),
            user_id: UserId(Uuid::from_u128(2)),
            flow: Flow::Hold,
            state: State::Pending,
            lines: Vec::new(),
            total: Money::ZERO,
            shipping_address: None,
            fingerprint: None,
            expires_at: at,
            created_at: at,
            updated_at: at,
            version: 0,
        }
    }

    #[test]
    fn an_order_that_two_stop_watching_at_the_same_instant_is_not_asked_for_any_more() {
        let watchers = Watchers::new(2);
        let first = watchers.watch(order()).unwrap();
        // The other one, on another thread, has been counted out, but still has its receiver.
        let others_receiver = first.receiver.clone();
        drop(first);
        drop(others_receiver);
        assert_eq!(watchers.told(), []);
    }
}
