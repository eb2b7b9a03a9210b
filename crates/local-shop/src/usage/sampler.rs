//! Reads components again and again.

use std::time::Duration;

use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{Component, Usage, record::Series};

/// A task that samples until it is stopped. Dropped, it goes away with what it has seen.
#[derive(Debug)]
pub struct Sampler {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Usage>,
}

impl Sampler {
    /// Reads `components` now and then every `period`, which is 200 ms to 1 s for a run of seconds to minutes.
    ///
    /// # Panics
    /// When `period` is zero, or outside a runtime.
    pub fn start(components: Vec<Component>, period: Duration) -> Self {
        let (stop, stopped) = oneshot::channel();
        let began = Instant::now();
        let mut series: Vec<Series> = components.into_iter().map(Series::new).collect();
        for one in &mut series {
            one.read(Duration::ZERO);
        }
        let task = tokio::spawn(sample(series, began, period, stopped));
        Self { stop, task }
    }

    /// Reads a last time and answers everything.
    ///
    /// # Panics
    /// When the runtime goes down meanwhile.
    pub async fn stop(self) -> Usage {
        let _ = self.stop.send(());
        self.task.await.expect("the sampler does not panic")
    }
}

async fn sample(
    mut series: Vec<Series>,
    began: Instant,
    period: Duration,
    mut stopped: oneshot::Receiver<()>,
) -> Usage {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, and was read before.
    ticks.tick().await;
    loop {
        let is_last = tokio::select! {
            _ = ticks.tick() => false,
            _ = &mut stopped => true,
        };
        for one in &mut series {
            one.read(began.elapsed());
        }
        if is_last {
            return Usage::of(series);
        }
    }
}
