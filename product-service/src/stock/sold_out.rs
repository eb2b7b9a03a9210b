//! What is sold out, remembered for a moment: in a flash sale nearly everybody loses, and most of them
//! need not be asked about one by one.
//!
//! Only "nothing is left" is remembered, and only first attempts are answered from it: an order that may
//! hold a unit already is looked up. A release seen by this process ends the memory at once; one in
//! another process [`MEMORY_MAX`] after gate or ledger was asked, at the latest. Callers are told how much of that
//! is left, so that they need not ask until then.

use std::{sync::Arc, time::Duration};

use domain::ProductId;
use service_kit::remembered::{About, Remembered};
use tokio::time::Instant;

use crate::ledger::command::Place;

pub use domain::error_code::SOLD_OUT_MEMORY_MAX as MEMORY_MAX;

/// The memory, shared by all who ask and all who learn; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SoldOut {
    memory: Duration,
    empty: Arc<Remembered<Place>>,
}

impl About for Place {
    type Subject = Self;
    fn subject(&self) -> Self {
        *self
    }
}

impl SoldOut {
    /// Remembers for `memory`; zero turns it off.
    pub(crate) fn new(memory: Duration) -> Self {
        Self {
            memory,
            empty: Arc::default(),
        }
    }

    /// For how much longer it may be believed that nothing is left there, if that is known.
    pub(crate) fn believed_for(&self, place: &Place, now: Instant) -> Option<Duration> {
        let until = self.empty.believed_until(place, now)?;
        Some(until - now)
    }

    /// Nothing is left, as somebody said who was asked at `asked_at`.
    pub(crate) fn note(&self, place: Place, asked_at: Instant, now: Instant) {
        self.empty
            .note(place, asked_at, asked_at + self.memory, now);
    }

    /// Units came back there.
    pub(crate) fn forget(&self, place: Place, now: Instant) {
        self.empty.forget(&place, now);
    }

    /// The first of the places where nothing was left a moment ago.
    pub(crate) fn first_empty(&self, places: impl Iterator<Item = Place>) -> Option<ProductId> {
        let now = Instant::now();
        let mut places = places.filter(|place| self.believed_for(place, now).is_some());
        places.next().map(|place| place.product_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        product_id: ProductId(uuid::Uuid::from_u128(1)),
        deal_number: Some(1),
    };
    const OTHER: Place = Place {
        deal_number: Some(2),
        ..PLACE
    };

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_believed_from_the_question_on_and_of_that_deal_only() {
        let (sold_out, start) = (SoldOut::new(MEMORY_MAX), Instant::now());
        sold_out.note(PLACE, start, after(start, 20));
        let left = |place, millis| sold_out.believed_for(&place, after(start, millis));
        assert_eq!(left(PLACE, 20), Some(Duration::from_millis(30)));
        assert_eq!(left(PLACE, 50), None);
        assert_eq!(left(OTHER, 20), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_ends_it_and_what_was_asked_before_does_not_bring_it_back() {
        let (sold_out, start) = (SoldOut::new(MEMORY_MAX), Instant::now());
        let knows = |millis| {
            sold_out
                .believed_for(&PLACE, after(start, millis))
                .is_some()
        };
        sold_out.note(PLACE, start, start);
        sold_out.forget(PLACE, after(start, 2));
        assert!(!knows(2));
        sold_out.note(PLACE, after(start, 1), after(start, 3));
        assert!(!knows(3));
        sold_out.note(PLACE, after(start, 3), after(start, 4));
        assert!(knows(4));
    }

    #[tokio::test(start_paused = true)]
    async fn turned_off_it_remembers_nothing() {
        let (sold_out, start) = (SoldOut::new(Duration::ZERO), Instant::now());
        sold_out.note(PLACE, start, start);
        assert_eq!(sold_out.believed_for(&PLACE, start), None);
    }
}
