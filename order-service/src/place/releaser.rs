//! Releases holds that no order was made of, in the background. `RestoreStock` of an id that
//! product-service does not know keeps a delayed `DecreaseStock` from taking stock for nobody.

use std::{sync::Arc, time::Duration};

use domain::{OrderId, ProductId};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{metrics, order::Reason, stock::Stock};

const QUEUE_LEN_MAX: usize = 10_000;
const AT_ONCE_MAX: usize = 16;
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);
/// product-service releases by itself what is neither confirmed nor restored this long after the
/// hold's deadline.
const OWN_RELEASE: Duration = Duration::from_secs(60);

/// The callers' side; cheap to clone.
#[derive(Debug, Clone)]
pub struct Releaser {
    queue: mpsc::Sender<Orderless>,
}

/// A hold that no order was made of.
#[derive(Debug)]
struct Orderless {
    id: OrderId,
    products: Vec<ProductId>,
}

/// The side that runs.
#[derive(Debug)]
pub struct ReleaseWorker {
    queue: mpsc::Receiver<Orderless>,
    stock: Arc<Stock>,
    give_up_after: Duration,
}

/// A releaser of holds that last `hold_ttl`.
pub fn releaser(stock: Arc<Stock>, hold_ttl: Duration) -> (Releaser, ReleaseWorker) {
    let (sender, receiver) = mpsc::channel(QUEUE_LEN_MAX);
    let worker = ReleaseWorker {
        queue: receiver,
        stock,
        give_up_after: hold_ttl + OWN_RELEASE,
    };
    (Releaser { queue: sender }, worker)
}

impl Releaser {
    /// Releases the hold of `products` soon. When too many wait, it is left to end by its own deadline.
    pub fn release(&self, id: OrderId, products: impl Iterator<Item = ProductId>) {
        let products = products.collect();
        if self.queue.try_send(Orderless { id, products }).is_err() {
            metrics::release_dropped();
            tracing::warn!(order.id = %id, "a hold without an order is left to its deadline");
        }
        metrics::release_queue(QUEUE_LEN_MAX - self.queue.capacity());
    }
}

impl ReleaseWorker {
    /// Releases until `stop`; then each that waits is tried once more.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut running = FuturesUnordered::new();
        let mut stopping = false;
        loop {
            tokio::select! {
                Some(()) = running.next(), if !running.is_empty() => {}
                next = self.queue.recv(), if running.len() < AT_ONCE_MAX => match next {
                    Some(hold) => running.push(release(&self.stock, hold, self.give_up_after, &stop)),
                    None if running.is_empty() => return,
                    None => while running.next().await.is_some() {},
                },
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.queue.close();
                }
            }
        }
    }
}

async fn release(
    stock: &Stock,
    Orderless { id, products }: Orderless,
    give_up_after: Duration,
    stop: &CancellationToken,
) {
    let give_up_at = Instant::now() + give_up_after;
    let mut back_off = BACK_OFF_MIN;
    loop {
        let stopping = stop.is_cancelled();
        let deadline = Instant::now() + CALL_TIMEOUT;
        let reason = &Reason::NOT_PLACED;
        let Err(error) = stock.restore(id, &products, reason, deadline).await else {
            return;
        };
        if stopping || Instant::now() + back_off >= give_up_at {
            metrics::release_dropped();
            tracing::warn!(order.id = %id, %error, "a hold without an order is left to its deadline");
            return;
        }
        tokio::select! {
            () = sleep(back_off) => {}
            () = stop.cancelled() => {}
        }
        back_off = (back_off * 2).min(BACK_OFF_MAX);
    }
}
