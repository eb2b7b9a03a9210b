//! What a crowd was answered.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use domain::Timestamp;
use http::StatusCode;
use serde::Deserialize;

/// Answers by what they say, and how long they took.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Orders accepted.
    pub(crate) accepted: u64,
    /// Ids of orders accepted, to find one that was accepted twice.
    pub(crate) orders: HashSet<String>,
    /// How long the first of them to expire is held.
    pub(crate) shortest_hold: Option<Duration>,
    /// Refusals by code, and answers that are none of this shop's by their status.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Requests without an answer.
    pub(crate) unanswered: u64,
    /// Time to each answer, in microseconds.
    pub(crate) latencies_us: Vec<u32>,
}

/// What every answer of `POST /orders` has: an order's id, or a refusal's code.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: String,
    #[serde(default)]
    error: String,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

impl Answer {
    fn held_for(&self) -> Option<Duration> {
        let held_us = self.expires_at?.as_micros() - self.created_at?.as_micros();
        u64::try_from(held_us).ok().map(Duration::from_micros)
    }
}

impl Tally {
    /// Counts an answer.
    pub(crate) fn answered(&mut self, status: StatusCode, body: &[u8], took: Duration) {
        let took_us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.latencies_us.push(took_us);
        match serde_json::from_slice::<Answer>(body) {
            Ok(answer) if status == StatusCode::ACCEPTED && !answer.id.is_empty() => {
                self.accepted += 1;
                self.is_held_for(answer.held_for());
                self.orders.insert(answer.id);
            }
            Ok(answer) if !answer.error.is_empty() => self.count(answer.error),
            _ => self.count(format!("HTTP {}", status.as_u16())),
        }
    }

    fn is_held_for(&mut self, held: Option<Duration>) {
        self.shortest_hold = self.shortest_hold.into_iter().chain(held).min();
    }

    fn count(&mut self, code: String) {
        *self.refused.entry(code).or_default() += 1;
    }

    /// Takes in what another part of the crowd was answered.
    pub(crate) fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.orders.extend(other.orders);
        self.is_held_for(other.shortest_hold);
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.latencies_us.extend(other.latencies_us);
    }

    /// How many were refused with `code`.
    pub(crate) fn refused_with(&self, code: &str) -> u64 {
        self.refused.get(code).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_by_what_they_say() {
        let mut tally = Tally::default();
        let took = Duration::from_micros(5);
        let order = |expires_at: &str| {
            let created_at = "2026-11-21T12:00:00Z";
            serde_json::json!({"id": "a", "created_at": created_at, "expires_at": expires_at})
                .to_string()
        };
        for expires_at in ["2026-11-21T12:05:00Z", "2026-11-21T12:04:59.5Z"] {
            tally.answered(StatusCode::ACCEPTED, order(expires_at).as_bytes(), took);
        }
        assert_eq!(tally.shortest_hold, Some(Duration::from_millis(299_500)));
        tally.answered(StatusCode::CONFLICT, br#"{"error":"OUT_OF_STOCK"}"#, took);
        tally.answered(StatusCode::BAD_GATEWAY, b"<html>", took);
        assert_eq!((tally.accepted, tally.orders.len()), (2, 1));
        assert_eq!(tally.refused_with("OUT_OF_STOCK"), 1);
        assert_eq!(tally.refused_with("HTTP 502"), 1);
        assert_eq!(tally.latencies_us, [5; 4]);
    }
}
