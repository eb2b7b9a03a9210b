//! What is measured. Each file has a figure, or a family of them.
//!
//! - [`decrease`]: P1a, P1b: `DecreaseStock` against a server that answers a constant.
//! - [`gate`]: P2: the gate alone against Redis's own benchmark with the document's script.
//! - [`store_time`]: P3: the time of one decrement in SQL against that in Redis.
//! - [`ledger`]: P5: the ledger alone, group commit against one at a time.
//! - [`usage`]: CPU seconds of the components while load is on.

mod decrease;
mod gate;
mod ledger;
mod store_time;
mod usage;

use std::{pin::Pin, rc::Rc};

use crate::{
    journal::Watch,
    results::{Figure, Ratio, Side},
    setting::Setting,
};

/// What one figure's measurement comes to.
type Measuring = Pin<Box<dyn Future<Output = crate::Result<Measured>>>>;

/// Something that can be measured.
#[derive(Clone, Copy)]
pub struct Subject {
    /// `P1a`.
    pub id: &'static str,
    /// What it is, in a sentence.
    pub what: &'static str,
    measure: fn(Rc<Setting>) -> Measuring,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Sides and the ratios between them.
#[derive(Debug)]
struct Measured {
    sides: Vec<Side>,
    ratios: Vec<Ratio>,
}

macro_rules! subject {
    ($id:literal, $measure:path, $what:literal) => {
        Subject {
            id: $id,
            what: $what,
            measure: |setting| Box::pin(async move { $measure(&setting).await }),
        }
    };
}

/// All figures, in the order in which they are measured.
pub const ALL: [Subject; 5] = [
    subject!(
        "P1a",
        decrease::all_win,
        "DecreaseStock where every call wins, 256 in flight : a handler that answers a constant"
    ),
    subject!(
        "P1b",
        decrease::one_in_a_hundred_wins,
        "The same where 1 in 100 wins: deals of 100 units, 10,000 calls for each, one deal after the other"
    ),
    subject!(
        "P2",
        gate::figure,
        "The gate alone, batcher and script : redis-benchmark -c 50 with the document's script"
    ),
    subject!(
        "P3",
        store_time::figure,
        "Store time per decrement: one SQL transaction each : the script's time by commandstats"
    ),
    subject!(
        "P5",
        ledger::figure,
        "The ledger alone, 64 callers, one row: group commit : one at a time"
    ),
];

impl Subject {
    /// Measures it.
    ///
    /// # Errors
    /// Whatever went wrong: a request that failed, a row that is missing, a program that is not there.
    pub async fn measure(&self, setting: Rc<Setting>) -> crate::Result<Figure> {
        let watch = Watch::begin().await;
        let Measured { sides, ratios } = (self.measure)(setting).await?;
        Ok(Figure {
            id: self.id.to_owned(),
            what: self.what.to_owned(),
            command: format!("make bench ONLY={}", self.id),
            sides,
            ratios,
            surroundings: watch.end(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_an_id_of_its_own() {
        let ids: std::collections::BTreeSet<&str> = ALL.iter().map(|subject| subject.id).collect();
        assert_eq!(ids.len(), ALL.len());
    }
}
