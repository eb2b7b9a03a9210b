//! Whether every unit is where the answers say; pure.

use std::time::Duration;

use serde_json::Value;

use super::tally::Tally;

/// Where units can be.
const PLACES: [&str; 5] = ["available", "held", "sold", "written_off", "returned"];

/// What is wrong, and what need not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// None of these should be.
    pub(super) faults: Vec<String>,
    /// What explains a difference that is no fault.
    pub(super) notes: Vec<String>,
}

impl Verdict {
    /// Compares the live sums before and after with what the crowd was answered, one unit an order.
    /// A burst that took longer than its own orders are held is judged by the sums alone.
    pub(super) fn of(tally: &Tally, elapsed: Duration, before: &Value, after: &Value) -> Self {
        let mut verdict = Self::default();
        for (when, live) in [("before", before), ("after", after)] {
            verdict.check_sum(when, live);
        }
        if before["deal_id"] != after["deal_id"] {
            verdict.fault("the deal was replaced by another one meanwhile");
            return verdict;
        }
        let distinct = u64::try_from(tally.orders.len()).unwrap_or(u64::MAX);
        if distinct != tally.accepted {
            verdict.fault("one order was accepted twice");
        }
        match tally.shortest_hold {
            Some(held) if elapsed >= held => {
                let words =
                    "orders of this burst have expired meanwhile: only the sums were compared";
                verdict.notes.push(words.to_owned());
            }
            _ => verdict.check_taken(tally, before, after),
        }
        verdict
    }

    /// Nothing is wrong.
    pub(super) fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    fn check_sum(&mut self, when: &str, live: &Value) {
        let came = figure(live, "initial") + figure(live, "restocked");
        let is_somewhere: i64 = PLACES.map(|place| figure(live, place)).iter().sum();
        if came != is_somewhere || PLACES.iter().any(|place| figure(live, place) < 0) {
            self.fault(format!(
                "the sum {when} does not hold: {came} came, {is_somewhere} are somewhere"
            ));
        }
    }

    /// Every accepted order must hold a unit, and no unit may have gone to anybody else; except that
    /// holds of before can end meanwhile, and a request without an answer may have been accepted.
    fn check_taken(&mut self, tally: &Tally, before: &Value, after: &Value) {
        let taken = |live| figure(live, "held") + figure(live, "sold");
        let more = taken(after) - taken(before);
        let accepted = i64::try_from(tally.accepted).unwrap_or(i64::MAX);
        let unanswered = i64::try_from(tally.unanswered).unwrap_or(i64::MAX);
        let ended_at_most = figure(before, "held");
        let missing = accepted - more;
        if missing > ended_at_most {
            self.fault(format!(
                "{accepted} orders were accepted, but only {more} more units are held or sold"
            ));
        } else if missing > 0 {
            self.notes
                .push(format!("{missing} holds of earlier orders ended meanwhile"));
        }
        let extra = -missing;
        if extra > unanswered {
            self.fault(format!(
                "{more} more units are held or sold, but only {accepted} orders were accepted"
            ));
        } else if extra > 0 {
            self.notes.push(format!(
                "{extra} orders without an answer were accepted all the same"
            ));
        }
    }

    fn fault(&mut self, words: impl Into<String>) {
        self.faults.push(words.into());
    }
}

/// A figure of the live sum.
pub(super) fn figure(live: &Value, name: &str) -> i64 {
    live[name].as_i64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(available: i64, held: i64, sold: i64) -> Value {
        json!({"deal_id": "d", "initial": 100, "restocked": 0, "available": available,
               "held": held, "sold": sold, "written_off": 0, "returned": 0})
    }

    fn accepted(count: u64, unanswered: u64) -> Tally {
        Tally {
            accepted: count,
            orders: (0..count).map(|number| number.to_string()).collect(),
            unanswered,
            ..Tally::default()
        }
    }

    fn of(tally: &Tally, before: &Value, after: &Value) -> Verdict {
        Verdict::of(tally, Duration::from_secs(1), before, after)
    }

    #[test]
    fn a_burst_longer_than_its_own_holds_is_judged_by_the_sums_alone() {
        let tally = |hold_s| Tally {
            shortest_hold: Some(Duration::from_secs(hold_s)),
            ..accepted(150, 0)
        };
        let (before, after) = (live(100, 0, 0), live(0, 100, 0));
        assert!(!of(&tally(300), &before, &after).is_good());
        let verdict = of(&tally(1), &before, &after);
        assert!(verdict.is_good() && verdict.notes.len() == 1);
        assert!(!of(&tally(1), &before, &live(0, 101, 0)).is_good());
    }

    #[test]
    fn a_unit_for_every_order_is_good() {
        let verdict = of(&accepted(60, 0), &live(70, 20, 10), &live(10, 70, 20));
        assert_eq!(verdict, Verdict::default());
    }

    #[test]
    fn an_order_without_a_unit_is_a_fault() {
        let verdict = of(&accepted(61, 0), &live(100, 0, 0), &live(40, 60, 0));
        assert!(!verdict.is_good());
    }

    #[test]
    fn a_unit_without_an_order_is_a_fault_unless_an_answer_is_missing() {
        let (before, after) = (live(100, 0, 0), live(40, 60, 0));
        assert!(!of(&accepted(59, 0), &before, &after).is_good());
        let verdict = of(&accepted(59, 1), &before, &after);
        assert!(verdict.is_good());
        assert_eq!(verdict.notes.len(), 1);
    }

    #[test]
    fn holds_of_before_may_end_meanwhile() {
        let verdict = of(&accepted(20, 0), &live(90, 10, 0), &live(75, 25, 0));
        assert!(verdict.is_good());
        assert_eq!(verdict.notes, ["5 holds of earlier orders ended meanwhile"]);
    }

    #[test]
    fn a_sum_that_does_not_hold_and_a_figure_below_zero_are_faults() {
        for broken in [live(41, 60, 0), live(-1, 60, 41)] {
            assert!(!of(&accepted(60, 0), &live(100, 0, 0), &broken).is_good());
        }
    }

    #[test]
    fn an_order_that_was_accepted_twice_is_a_fault() {
        let mut tally = accepted(60, 0);
        tally.orders.remove("1");
        assert!(!of(&tally, &live(100, 0, 0), &live(40, 60, 0)).is_good());
    }
}
