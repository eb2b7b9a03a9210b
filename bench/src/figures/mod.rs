//! What is measured. Each file has a figure, or a family of them.
//!
//! - `decrease`: P1a, P1b: `DecreaseStock` against a server that answers a constant.
//! - `gate`: P2: the gate alone against Redis's own benchmark with the document's script.
//! - `store_time`: P3: the time of one decrement in SQL against that in Redis.
//! - `order_paths`: P4: `POST /orders` by path and batching, and `pgbench` beside them.
//! - `ledger`: P5: the ledger alone, group commit against one at a time.
//! - `sold_out`: P6: losers over HTTP against a handler that only decodes.
//! - `memory`: P8: idle, at capacity, and beyond it.
//! - `crowded`: P9: a shop full of deals and holds against an empty one.
//! - `all_in_one`: P10: one process on SQLite against the pair.
//! - `absolute`: A1: orders a second and how long they take.
//! - `orders`, `usage`: what several of them need.

mod absolute;
mod all_in_one;
mod crowded;
mod decrease;
mod gate;
mod ledger;
mod memory;
mod order_paths;
mod orders;
mod pgbench;
mod sold_out;
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
pub const ALL: [Subject; 11] = [
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
        "P4",
        order_paths::figure,
        "POST /orders, 100 connections: the best of path and batching : SQL, one at a time"
    ),
    subject!(
        "P5",
        ledger::figure,
        "The ledger alone, 64 callers, one row: group commit : one at a time"
    ),
    subject!(
        "P6",
        sold_out::figure,
        "Sold out over HTTP, 100 connections : a handler that decodes, validates and answers a constant"
    ),
    subject!(
        "P8",
        memory::figure,
        "Memory of each service: idle, and at three times what it can do : at what it can do"
    ),
    subject!(
        "P9",
        crowded::figure,
        "CPU time of a decrement with 10,000 running deals and 1 M open holds : with one deal and none"
    ),
    subject!(
        "P10",
        all_in_one::figure,
        "Orders accepted by the all-in-one on SQLite : by the distributed pair, 100 connections"
    ),
    subject!(
        "A1",
        absolute::figure,
        "Durable orders a second, with how long they take; the aim is 20,000 with p95 under 10 ms"
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
