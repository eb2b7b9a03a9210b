//! Whether Redis counts as up.

use std::sync::atomic::{AtomicBool, Ordering};

use super::metrics;

/// Opens with the first failure, and closes when a probe succeeds: between them nobody waits for Redis.
#[derive(Debug)]
pub(super) struct Breaker(AtomicBool);

impl Breaker {
    pub(super) fn down() -> Self {
        metrics::up(false);
        Self(AtomicBool::new(false))
    }

    pub(super) fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set_up(&self) {
        if !self.0.swap(true, Ordering::Relaxed) {
            metrics::up(true);
            tracing::info!("redis answers: deals sell through the gate");
        }
    }

    pub(super) fn set_down(&self) {
        if self.0.swap(false, Ordering::Relaxed) {
            metrics::up(false);
            tracing::warn!("redis does not answer: deals sell straight from the ledger");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_takes_it_down_until_a_probe_succeeds() {
        let breaker = Breaker::down();
        breaker.set_up();
        assert!(breaker.is_up());
        breaker.set_down();
        breaker.set_down();
        assert!(!breaker.is_up());
        breaker.set_up();
        assert!(breaker.is_up());
    }
}
