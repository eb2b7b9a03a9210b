//! Settling: the gate gets what it is owed, and tells how it stands.

use std::time::Duration;

use domain::ProductId;
use redis::{Cmd, Pipeline, RedisResult, Value};

use super::{
    Gate, GateError,
    error::in_range,
    reply::{Code, Reply},
    scripts::{SETTLE, read},
};

/// How old a batch in flight is when its process counts as dead.
pub const STALE_AFTER: Duration = Duration::from_secs(2);

/// How many gates are settled in one round trip.
const PIPELINE_LEN_MAX: usize = 256;

/// A gate as it stands after settling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The figures of the deal's gate.
    Open {
        /// Units left.
        quantity: i64,
        /// What the gate has been handed in total.
        owed: i64,
        /// Batches between gate and ledger.
        in_flight_batches: i64,
        /// The units that they took.
        in_flight_units: i64,
        /// Those of them older than [`STALE_AFTER`].
        stale_batches: i64,
    },
    /// There is no gate of this deal.
    Missing,
    /// The product has a later deal than the caller knows.
    StaleCaller,
}

impl Gate {
    /// Hands the gate `owed`, the number in the deal's row: doing it twice, late or out of order does
    /// nothing. Batches in flight that cannot be read leave the list.
    ///
    /// # Errors
    /// As [`GateError`] says; repeating the call is safe. [`GateError::Protocol`] means that no script
    /// can work with this gate: [`Gate::wipe`] it.
    pub async fn settle(
        &self,
        product: ProductId,
        deal_number: i64,
        owed: i64,
    ) -> Result<Settled, GateError> {
        let call = self.settling(product, deal_number, owed)?;
        decode(&self.run_pooled(&SETTLE, &call).await?)
    }

    /// [`Gate::settle`] for many deals, each a product, the deal's number and what the gate is owed,
    /// in few round trips; the outcomes are in the deals' order.
    pub async fn settle_many(
        &self,
        deals: &[(ProductId, i64, i64)],
    ) -> Vec<Result<Settled, GateError>> {
        let mut outcomes = Vec::with_capacity(deals.len());
        for some in deals.chunks(PIPELINE_LEN_MAX) {
            let mut calls = Vec::with_capacity(some.len());
            for &(product, deal_number, owed) in some {
                calls.push(self.settling(product, deal_number, owed));
            }
            self.settle_in_one_trip(calls, &mut outcomes).await;
        }
        outcomes
    }

    async fn settle_in_one_trip(
        &self,
        calls: Vec<Result<Cmd, GateError>>,
        outcomes: &mut Vec<Result<Settled, GateError>>,
    ) {
        let mut answers = self.answers(&calls).await;
        for call in calls {
            // A figure out of range was not sent.
            outcomes.push(match (call, &mut answers) {
                (Err(error), _) => Err(error),
                (Ok(_), Err(error)) => Err(error.again()),
                (Ok(_), Ok(answers)) => match answers.next() {
                    Some(answer) => self.noted(read(answer).and_then(|reply| decode(&reply))),
                    None => Err(GateError::Protocol("fewer answers than calls".into())),
                },
            });
        }
    }

    /// The answers to those `calls` that can be sent.
    async fn answers(
        &self,
        calls: &[Result<Cmd, GateError>],
    ) -> Result<impl Iterator<Item = RedisResult<Value>> + use<>, GateError> {
        let mut connection = self.pooled().await?;
        let mut pipeline = Pipeline::with_capacity(calls.len() + 1);
        // Loading a script that Redis knows costs next to nothing, and saves repeating the calls.
        pipeline.add_command(SETTLE.load());
        for call in calls.iter().flatten() {
            pipeline.add_command(call.clone());
        }
        let answers: RedisResult<Vec<RedisResult<Value>>> =
            pipeline.ignore_errors().query_async(&mut connection).await;
        let answers = self.noted(answers.map_err(GateError::from))?;
        Ok(answers.into_iter().skip(1))
    }

    fn settling(&self, product: ProductId, deal_number: i64, owed: i64) -> Result<Cmd, GateError> {
        let (deal_number, owed) = (in_range(deal_number)?, in_range(owed)?);
        let told = self.0.done.take(product);
        let mut call = SETTLE.call(product, 5, 128);
        call.arg(deal_number)
            .arg(owed)
            .arg(told.batches)
            .arg(told.not_taken)
            .arg(STALE_AFTER.as_millis().to_string());
        Ok(call)
    }
}

fn decode(reply: &Reply) -> Result<Settled, GateError> {
    match reply.status {
        Code::Open => {
            let [
                quantity,
                owed,
                in_flight_batches,
                in_flight_units,
                stale_batches,
            ] = reply.exactly()?;
            Ok(Settled::Open {
                quantity,
                owed,
                in_flight_batches,
                in_flight_units,
                stale_batches,
            })
        }
        Code::Missing => Ok(Settled::Missing),
        Code::StaleCaller => Ok(Settled::StaleCaller),
        _ => Err(reply.unexpected()),
    }
}
