//! What is sold out, remembered for a moment: in a flash sale nearly everybody loses, and most of them
//! need not be asked about one by one.
//!
//! Only "nothing is left" is remembered, and only first attempts are answered from it: an order that may
//! hold a unit already is looked up. A release seen by this process ends the memory at once; one in
//! another process after [`MEMORY_MAX`] at the latest.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use domain::ProductId;
use tokio::time::Instant;

use crate::ledger::command::Place;

/// Longer than this nobody may be told that something is sold out which is not.
pub const MEMORY_MAX: Duration = Duration::from_millis(50);
/// Below this number entries that say nothing any more are not worth sweeping out.
const SWEEP_LEN_MIN: usize = 1_024;
/// No question to gate or ledger takes longer.
const QUESTION_MAX: Duration = Duration::from_secs(30);

/// The memory, shared by all who ask and all who learn; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SoldOut {
    memory: Duration,
    places: Arc<RwLock<Places>>,
}

#[derive(Debug)]
struct Places {
    known: HashMap<Place, Known>,
    /// Swept once it has this many entries: twice what the last sweep left, so that sweeping costs each
    /// entry next to nothing.
    sweep_len: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            sweep_len: SWEEP_LEN_MIN,
        }
    }
}

impl Places {
    fn insert(&mut self, place: Place, known: Known, now: Instant) {
        if self.known.len() >= self.sweep_len {
            self.known.retain(|_, known| !known.is_stale(now));
            self.sweep_len = SWEEP_LEN_MIN.max(2 * self.known.len());
        }
        self.known.insert(place, known);
    }
}

#[derive(Debug, Clone, Copy)]
enum Known {
    /// Nothing was left; believed until then.
    Empty { until: Instant },
    /// Units came back: what was asked before says nothing.
    Filled { at: Instant },
}

impl Known {
    fn is_stale(self, now: Instant) -> bool {
        match self {
            Self::Empty { until } => until <= now,
            Self::Filled { at } => at + QUESTION_MAX <= now,
        }
    }
}

impl SoldOut {
    /// Remembers for `memory`; zero turns it off.
    pub(crate) fn new(memory: Duration) -> Self {
        Self {
            memory,
            places: Arc::default(),
        }
    }

    /// Whether nothing was left there a moment ago.
    pub(crate) fn is_empty(&self, place: &Place, now: Instant) -> bool {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        matches!(places.known.get(place), Some(Known::Empty { until }) if now < *until)
    }

    /// Nothing is left, as somebody said who was asked at `asked_at`.
    pub(crate) fn note(&self, place: Place, asked_at: Instant, now: Instant) {
        if self.memory.is_zero() {
            return;
        }
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(places.known.get(&place), Some(Known::Filled { at }) if asked_at <= *at) {
            return;
        }
        let until = now + self.memory;
        places.insert(place, Known::Empty { until }, now);
    }

    /// Units came back there. Kept even where nothing was known to be sold out: somebody who was asked
    /// before may be about to say so for the first time.
    pub(crate) fn forget(&self, place: Place, now: Instant) {
        if self.memory.is_zero() {
            return;
        }
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.insert(place, Known::Filled { at: now }, now);
    }

    /// The first of the places where nothing was left a moment ago.
    pub(crate) fn first_empty(&self, places: impl Iterator<Item = Place>) -> Option<ProductId> {
        let now = Instant::now();
        let mut places = places.filter(|place| self.is_empty(place, now));
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

    #[tokio::test]
    async fn it_is_believed_for_its_time_and_of_that_deal_only() {
        let (sold_out, start) = (SoldOut::new(MEMORY_MAX), Instant::now());
        sold_out.note(PLACE, start, start);
        assert!(sold_out.is_empty(&PLACE, after(start, 49)));
        assert!(!sold_out.is_empty(&PLACE, after(start, 50)));
        assert!(!sold_out.is_empty(&OTHER, start));
    }

    #[tokio::test]
    async fn a_release_ends_it_and_what_was_asked_before_does_not_bring_it_back() {
        let (sold_out, start) = (SoldOut::new(MEMORY_MAX), Instant::now());
        sold_out.note(PLACE, start, start);
        sold_out.forget(PLACE, after(start, 2));
        assert!(!sold_out.is_empty(&PLACE, after(start, 2)));
        sold_out.note(PLACE, after(start, 1), after(start, 3));
        assert!(!sold_out.is_empty(&PLACE, after(start, 3)));
        sold_out.note(PLACE, after(start, 3), after(start, 4));
        assert!(sold_out.is_empty(&PLACE, after(start, 4)));
    }

    #[tokio::test]
    async fn a_release_counts_where_nothing_was_sold_out_before() {
        let (sold_out, start) = (SoldOut::new(MEMORY_MAX), Instant::now());
        // The first who finds nothing left is asked before the release and answered after it.
        sold_out.forget(PLACE, after(start, 1));
        sold_out.note(PLACE, start, after(start, 2));
        assert!(!sold_out.is_empty(&PLACE, after(start, 2)));
    }

    #[tokio::test]
    async fn turned_off_it_remembers_nothing() {
        let (sold_out, start) = (SoldOut::new(Duration::ZERO), Instant::now());
        sold_out.note(PLACE, start, start);
        assert!(!sold_out.is_empty(&PLACE, start));
    }

    #[tokio::test]
    async fn what_says_nothing_any_more_is_swept_out() {
        let (sold_out, start) = (SoldOut::new(MEMORY_MAX), Instant::now());
        let place = |number| Place {
            deal_number: Some(number),
            ..PLACE
        };
        for number in 0..1_024 {
            sold_out.note(place(number), start, start);
        }
        let late = after(start, 60);
        sold_out.note(place(2_000), late, late);
        assert_eq!(sold_out.places.read().unwrap().known.len(), 1);
    }
}
