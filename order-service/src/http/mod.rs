//! What buyers talk to.
//!
//! - `routes`: every route.
//! - `place`, `read`, `list`, `confirm`, `cancel`, `events`: one endpoint each.
//! - `buyer`: who is asking. `body`: what a `POST /orders` must look like; `quick`: what it nearly always looks
//!   like. `view`: an order as JSON.
//! - `problem`: from refusals and failures to answers; `words`: what they say to the buyer.

mod body;
mod buyer;
mod cancel;
mod confirm;
mod events;
mod list;
mod place;
mod problem;
mod quick;
mod read;
mod routes;
mod view;
mod words;

use std::{future::Future, sync::Arc, time::Duration};

use domain::ErrorCode;
use service_kit::{problem::Problem, trace};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::task::TaskTracker;

pub use routes::{openapi, router};

use crate::{ending::Orders, metrics::PlaceMetrics, place::Placer};

/// What the endpoints work with.
#[derive(Debug)]
pub struct Api {
    /// Places orders.
    pub placer: Arc<Placer>,
    /// Ends them.
    pub orders: Orders,
    /// Whether whoever reaches the listener is believed who he is.
    pub is_user_header_trusted: bool,
    /// How long the work of one request may take.
    pub work_time: Duration,
    /// How long a stream of events may last.
    pub stream_age_max: Duration,
    /// Work that goes on when its buyer has hung up.
    pub tasks: TaskTracker,
    /// How much of it there may be: the server's own limit forgets a buyer who hangs up.
    pub room: Arc<Semaphore>,
    /// What becomes of orders that are asked for.
    pub(crate) metrics: PlaceMetrics,
}

impl Api {
    /// When the work of a request that begins now has to end.
    fn deadline(&self) -> Instant {
        Instant::now() + self.work_time
    }

    /// Runs `work` to its end even if the buyer hangs up: stock that is taken must get its order, or be
    /// given back.
    async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(problem::of(ErrorCode::Overloaded));
        };
        let work = async move {
            let _permit = permit;
            work.await
        };
        self.tasks
            .spawn(trace::carried(work))
            .await
            .map_err(|error| {
                tracing::error!(%error, "the work of a request broke off");
                problem::of(ErrorCode::Internal)
            })
    }
}
