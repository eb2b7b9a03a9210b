//! What all figures share: how long, how large, and which binaries.

use std::{path::PathBuf, sync::Arc, time::Duration};

use domain::{IdSource, SystemClock};
use local_shop::{Profile, ShopOptions};

use crate::rounds::Rounds;

/// How large the worlds are in which is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As the figures say.
    Full,
    /// Just enough to see that everything functions.
    Tiny,
}

/// What a figure is measured with.
#[derive(Debug, Clone)]
pub struct Setting {
    /// How often and how long.
    pub rounds: Rounds,
    /// How large.
    pub scale: Scale,
    /// How the services are compiled.
    pub profile: Profile,
    /// The program `bench` itself, which also is the servers that do nothing.
    pub bench: PathBuf,
    /// Ids of orders and buyers.
    pub ids: IdSource,
}

impl Setting {
    /// Optimised binaries and full worlds.
    pub fn full(rounds: Rounds, bench: PathBuf) -> Self {
        Self::new(rounds, bench, Scale::Full, Profile::Release)
    }

    /// Binaries as `bench` itself is compiled, in worlds of a few rows, for a fraction of a second.
    pub fn tiny(bench: PathBuf) -> Self {
        let rounds = Rounds::new(1, Duration::from_millis(400), Duration::from_millis(200));
        Self::new(rounds, bench, Scale::Tiny, Profile::Own)
    }

    fn new(rounds: Rounds, bench: PathBuf, scale: Scale, profile: Profile) -> Self {
        // Ids of one run only must differ, and every run has databases of its own.
        let ids = IdSource::new(Arc::new(SystemClock), [0; 32]);
        Self {
            rounds,
            scale,
            profile,
            bench,
            ids,
        }
    }

    /// `full`, or `tiny` where only the functioning counts.
    pub fn scaled<T>(&self, full: T, tiny: T) -> T {
        match self.scale {
            Scale::Full => full,
            Scale::Tiny => tiny,
        }
    }

    /// A shop as it is measured.
    pub fn shop(&self) -> ShopOptions {
        ShopOptions {
            profile: self.profile,
            ..ShopOptions::measured()
        }
    }

    /// The shop before its improvements: no gate, and everything one at a time.
    pub fn shop_before(&self) -> ShopOptions {
        ShopOptions {
            has_gate: false,
            env: vec![
                ("STOCK_BATCH_MAX", "1".to_owned()),
                ("ORDER_BATCH_MAX", "1".to_owned()),
            ],
            ..self.shop()
        }
    }
}
