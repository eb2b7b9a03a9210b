//! The protocol between gate and ledger, searched exhaustively in a small world: three requests for two
//! orders of one unit each, one unit of stock, two deals one after the other, and a budget of faults:
//! a process dies, a reply is lost, Redis is emptied or restored from an old file, a hold is released, units
//! are added or written off, the deal is paused.
//!
//! `world` is the state, `step` lists what may happen next. In every state that can be reached:
//!
//! - no unit is sold twice, none is lost;
//! - the gate is never too low: what it has, what is in flight, and what it is still owed cover what the
//!   ledger has;
//! - nobody who holds a unit is told by a retry that there is none.
//!
//! Leaving out a rule of the protocol breaks one of these, which shows that the search would notice.

mod step;
mod world;

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};

use step::next;
use world::World;
pub use world::{Budget, Rules};

/// Searches every world that can be reached, the nearest first, and counts them.
///
/// # Errors
/// The first world that breaks a promise, and how it came about.
pub fn search(rules: Rules, budget: Budget) -> Result<usize, String> {
    let start = World::new(budget);
    let mut seen = HashSet::from([start]);
    let mut paths: Vec<(usize, &'static str)> = vec![(0, "start")];
    let mut queue = VecDeque::from([(start, 0)]);
    while let Some((world, at)) = queue.pop_front() {
        for (what, after) in next(&world, rules) {
            if !seen.insert(after) {
                continue;
            }
            paths.push((at, what));
            let here = paths.len() - 1;
            if let Err(broken) = after.check() {
                return Err(format!("{broken}: {}\n{after:#?}", path(&paths, here)));
            }
            queue.push_back((after, here));
        }
    }
    Ok(seen.len())
}

fn path(paths: &[(usize, &'static str)], mut at: usize) -> String {
    let mut steps = Vec::new();
    while at != 0 {
        steps.push(paths[at].1);
        at = paths[at].0;
    }
    steps.reverse();
    steps.join(" → ")
}
