//! Crowds that order at once, and what they were answered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use test_kit::Http;

use crate::Shop;

/// Pauses between the tries of a buyer who is told to come back.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// One buyer with one order to place.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// `X-User-ID`.
    pub user_id: String,
    /// `Idempotency-Key`, if the buyer uses one.
    pub key: Option<String>,
}

/// What a crowd was answered.
#[derive(Debug, Default)]
pub struct Tally {
    /// Orders accepted with 202, each with its buyer.
    pub accepted: Vec<(String, Value)>,
    /// Refusals and failures, by error code.
    pub refused: BTreeMap<String, usize>,
    /// Requests without an answer.
    pub unanswered: usize,
}

impl Tally {
    /// How many were refused with `code`.
    pub fn refused(&self, code: &str) -> usize {
        self.refused.get(code).copied().unwrap_or(0)
    }
}

/// Buyers without keys, each with an id of its own.
pub fn crowd(len: usize) -> Vec<Buyer> {
    let buyer = |number| Buyer {
        user_id: user_id(number),
        key: None,
    };
    (0..len).map(buyer).collect()
}

/// Buyers who may repeat their order under a key.
pub fn crowd_with_keys(len: usize) -> Vec<Buyer> {
    let buyer = |number| Buyer {
        user_id: user_id(number),
        key: Some(format!("order-{number}")),
    };
    (0..len).map(buyer).collect()
}

/// The id of a numbered buyer.
pub fn user_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Each buyer orders one unit, all at once (`at_once` requests open at a time), spread over the replicas
/// of order-service; each tries up to `tries` times while told to come back or not answered.
pub async fn order_at_once(
    shop: &Shop,
    product_id: &str,
    buyers: Vec<Buyer>,
    at_once: usize,
    tries: usize,
) -> Tally {
    let body = Arc::new(json!({"items": [{"product_id": product_id, "quantity": 1}]}));
    let replicas: Vec<Http> = shop
        .order
        .iter()
        .map(|replica| replica.http.clone())
        .collect();
    let answers = stream::iter(buyers.into_iter().enumerate()).map(|(number, buyer)| {
        let body = Arc::clone(&body);
        let replicas = &replicas;
        async move {
            let mut answer = None;
            for attempt in 0..tries {
                // A retry goes to the next replica, as a load balancer would do it.
                let http = &replicas[(number + attempt) % replicas.len()];
                answer = place(http, &buyer, &body).await;
                match &answer {
                    Some((status, _)) if *status != 503 && *status != 429 => break,
                    _ if attempt + 1 == tries => {}
                    _ => tokio::time::sleep(RETRY_PAUSE).await,
                }
            }
            (buyer, answer)
        }
    });
    let mut tally = Tally::default();
    let mut answers = answers.buffer_unordered(at_once);
    while let Some((buyer, answer)) = answers.next().await {
        match answer {
            None => tally.unanswered += 1,
            Some((202, order)) => tally.accepted.push((buyer.user_id, order)),
            Some((_, problem)) => {
                let code = problem["error"].as_str().unwrap_or("no code").to_owned();
                *tally.refused.entry(code).or_default() += 1;
            }
        }
    }
    tally
}

/// One `POST /orders`; `None` when no answer came.
async fn place(http: &Http, buyer: &Buyer, body: &Value) -> Option<(u16, Value)> {
    let mut headers = vec![("x-user-id", buyer.user_id.as_str())];
    if let Some(key) = &buyer.key {
        headers.push(("idempotency-key", key));
    }
    let answer = http
        .send(Method::POST, "/orders", &headers, Some(body))
        .await;
    answer.ok().map(|(status, body, _)| (status.as_u16(), body))
}
