//! Facts that are believed for a moment, and that something can make untrue at once. What was asked before it
//! became untrue says nothing, even if the answer comes later.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::time::Instant;

/// Below this number facts that are no longer believed are not worth sweeping out.
const SWEEP_LEN_MIN: usize = 1_024;
/// Subjects share so many moments of becoming untrue: one that shares another's forgets too much at worst.
const FORGOTTEN_LEN: usize = 4_096;

/// What a fact is about: all facts about one subject become untrue together.
pub trait About {
    /// The subject.
    type Subject: Hash;
    /// The subject of this fact.
    fn subject(&self) -> Self::Subject;
}

/// Facts and until when they are believed. To ask costs one short lock and no allocation; what is kept is what
/// was noted within the longest time that anything is believed, and a table of fixed size.
pub struct Remembered<F> {
    facts: RwLock<Facts<F>>,
    /// By the subject's hash: nanoseconds since `begun_at`. Only what was asked later is believed.
    forgotten_at: Box<[AtomicU64]>,
    hasher: RandomState,
    begun_at: Instant,
}

struct Facts<F> {
    known: HashMap<F, Known>,
    /// Swept once it has this many entries: twice what the last sweep left, so that sweeping costs each
    /// entry next to nothing.
    sweep_len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    asked_at: Instant,
    until: Instant,
}

impl<F> fmt::Debug for Remembered<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

impl<F: About + Hash + Eq> Default for Remembered<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: About + Hash + Eq> Remembered<F> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            facts: RwLock::new(Facts {
                known: HashMap::new(),
                sweep_len: SWEEP_LEN_MIN,
            }),
            forgotten_at: (0..FORGOTTEN_LEN).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            begun_at: Instant::now(),
        }
    }

    /// Until when the fact is believed, if it is at `now`.
    pub fn believed_until(&self, fact: &F, now: Instant) -> Option<Instant> {
        let known = {
            let facts = self.facts.read().unwrap_or_else(PoisonError::into_inner);
            *facts.known.get(fact)?
        };
        let is_believed = now < known.until && !self.is_forgotten(fact, known.asked_at);
        is_believed.then_some(known.until)
    }

    /// Believes until `until` what somebody said who was asked at `asked_at`, unless that is known to be out of
    /// date. Of two who say it, who was asked later counts.
    pub fn note(&self, fact: F, asked_at: Instant, until: Instant, now: Instant) {
        if until <= now || self.is_forgotten(&fact, asked_at) {
            return;
        }
        let mut facts = self.facts.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(facts.known.get(&fact), Some(known) if asked_at < known.asked_at) {
            return;
        }
        facts.insert(fact, Known { asked_at, until }, now);
    }

    /// All that is known about the subject is untrue, and so is whatever somebody may say who was asked at
    /// `asked_until` or before, also where nothing was known yet.
    pub fn forget(&self, subject: &F::Subject, asked_until: Instant) {
        let at = self.nanos(asked_until);
        self.forgotten_at(subject).fetch_max(at, Ordering::AcqRel);
    }

    fn is_forgotten(&self, fact: &F, asked_at: Instant) -> bool {
        let forgotten_at = self.forgotten_at(&fact.subject()).load(Ordering::Acquire);
        forgotten_at > 0 && self.nanos(asked_at) <= forgotten_at
    }

    fn forgotten_at(&self, subject: &F::Subject) -> &AtomicU64 {
        // The lowest bits are as good as any others.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only the lowest bits count"
        )]
        let hash = self.hasher.hash_one(subject) as usize;
        &self.forgotten_at[hash % FORGOTTEN_LEN]
    }

    /// One at least, so that zero means never; enough for 584 years.
    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.begun_at);
        u64::try_from(since.as_nanos()).map_or(u64::MAX, |nanos| nanos.max(1))
    }
}

impl<F: Hash + Eq> Facts<F> {
    fn insert(&mut self, fact: F, known: Known, now: Instant) {
        if self.known.len() >= self.sweep_len {
            self.known.retain(|_, known| now < known.until);
            self.sweep_len = SWEEP_LEN_MIN.max(2 * self.known.len());
        }
        self.known.insert(fact, known);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A shelf of a house.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    struct Shelf {
        house: u64,
        number: u64,
    }

    impl About for Shelf {
        type Subject = u64;
        fn subject(&self) -> u64 {
            self.house
        }
    }

    const SHELF: Shelf = Shelf {
        house: 1,
        number: 1,
    };
    const OTHER: Shelf = Shelf {
        house: 1,
        number: 2,
    };

    /// A memory, and the moment so many milliseconds later.
    fn remembered() -> (Remembered<Shelf>, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let after = move |millis| start + Duration::from_millis(millis);
        (Remembered::new(), after)
    }

    #[tokio::test(start_paused = true)]
    async fn a_fact_is_believed_for_its_time_and_no_other_is() {
        let (remembered, after) = remembered();
        remembered.note(SHELF, after(1), after(51), after(3));
        assert_eq!(
            remembered.believed_until(&SHELF, after(50)),
            Some(after(51))
        );
        assert_eq!(remembered.believed_until(&SHELF, after(51)), None);
        assert_eq!(remembered.believed_until(&OTHER, after(3)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_before_it_became_untrue_is_not_believed_whenever_it_is_said() {
        let (remembered, after) = remembered();
        let believes = |shelf, at| remembered.believed_until(&shelf, after(at)).is_some();
        for shelf in [SHELF, OTHER] {
            remembered.note(shelf, after(1), after(51), after(1));
        }
        remembered.forget(&SHELF.house, after(3));
        assert!(!believes(SHELF, 3) && !believes(OTHER, 3));
        remembered.note(SHELF, after(2), after(52), after(4));
        remembered.note(SHELF, after(3), after(53), after(4));
        assert!(!believes(SHELF, 4));
        remembered.note(SHELF, after(4), after(54), after(5));
        assert!(believes(SHELF, 5) && !believes(OTHER, 5));
        // Said again by who was asked before: that neither ends it nor makes it longer.
        remembered.note(SHELF, after(2), after(90), after(6));
        assert!(believes(SHELF, 53) && !believes(SHELF, 54));
    }

    #[tokio::test(start_paused = true)]
    async fn becoming_untrue_counts_where_nothing_was_known() {
        let (remembered, after) = remembered();
        remembered.forget(&SHELF.house, after(1));
        remembered.note(SHELF, after(0), after(50), after(2));
        assert_eq!(remembered.believed_until(&SHELF, after(2)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_when_it_is_said_is_not_kept() {
        let (remembered, after) = remembered();
        remembered.note(SHELF, after(0), after(50), after(50));
        assert!(remembered.facts.read().unwrap().known.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_longer_believed_is_swept_out() {
        let (remembered, after) = remembered();
        for number in 0..1_024 {
            let shelf = Shelf { house: 1, number };
            remembered.note(shelf, after(0), after(50), after(0));
        }
        let last = Shelf {
            house: 2,
            number: 0,
        };
        remembered.note(last, after(60), after(110), after(60));
        assert_eq!(remembered.facts.read().unwrap().known.len(), 1);
    }
}
