//! A gate on its own Redis, and short words for what the tests do with it.

use std::{collections::BTreeMap, time::Duration};

use domain::{BatchId, DealId, OrderId, ProductId, UserId};
use product_service::gate::{
    Admission, Admitted, Gate, GateError, GateLoad, GateOptions, Loaded, Settled, Verdict,
};
use redis::FromRedisValue;
use test_kit::Redis;
use uuid::Uuid;

pub(crate) const DEAL: i64 = 7;

pub(crate) struct Bed {
    pub(crate) redis: Redis,
    pub(crate) gate: Gate,
    pub(crate) product: ProductId,
}

impl Bed {
    /// A gate that is patient with a busy machine; no deal is loaded.
    pub(crate) async fn new() -> Self {
        Self::answering_within(Duration::from_secs(10)).await
    }

    pub(crate) async fn answering_within(response_timeout: Duration) -> Self {
        let redis = Redis::start().await;
        let gate = Gate::connect(GateOptions {
            response_timeout,
            ..GateOptions::new(redis.url())
        });
        let gate = gate.await.unwrap();
        Self::over(redis, gate)
    }

    /// A gate of the caller's own, in `redis`.
    pub(crate) fn over(redis: Redis, gate: Gate) -> Self {
        Self {
            redis,
            gate,
            product: ProductId(Uuid::from_u128(1)),
        }
    }

    /// A gate with `quantity` units of deal [`DEAL`], owed nothing so far.
    pub(crate) async fn with(quantity: i64, per_user_limit: Option<i64>) -> Self {
        let bed = Self::new().await;
        assert_eq!(
            bed.load(DEAL, quantity, 0, per_user_limit).await,
            Loaded::Loaded
        );
        bed
    }

    pub(crate) async fn load(
        &self,
        deal_number: i64,
        quantity: i64,
        owed: i64,
        per_user_limit: Option<i64>,
    ) -> Loaded {
        let load = GateLoad {
            product: self.product,
            deal_id: DealId(Uuid::from_u128(9)),
            deal_number,
            quantity,
            owed,
            per_user_limit,
        };
        self.gate.load(&load).await.unwrap()
    }

    pub(crate) async fn admit(
        &self,
        batch: u128,
        requests: &[Admission],
    ) -> Result<Admitted, GateError> {
        self.gate
            .admit(self.product, DEAL, batch_id(batch), requests)
            .await
    }

    /// One request of a caller who knows another deal number.
    pub(crate) async fn admit_as(&self, deal_number: i64, batch: u128, request: Admission) {
        let admitted = self
            .gate
            .admit(self.product, deal_number, batch_id(batch), &[request])
            .await;
        assert!(
            matches!(admitted, Ok(Admitted::Open { .. })),
            "{admitted:?}"
        );
    }

    /// The verdicts of an open gate.
    pub(crate) async fn verdicts(&self, batch: u128, requests: &[Admission]) -> Vec<Verdict> {
        match self.admit(batch, requests).await.unwrap() {
            Admitted::Open { verdicts, .. } => verdicts,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn void(&self, batch: u128, owed: i64, was_void: bool) {
        let batch = batch_id(batch);
        let voided = self.gate.void(self.product, DEAL, batch, owed, was_void);
        voided.await.unwrap();
    }

    pub(crate) async fn settle(&self, owed: i64) -> Figures {
        match self.gate.settle(self.product, DEAL, owed).await.unwrap() {
            Settled::Open {
                quantity,
                owed,
                in_flight_batches,
                in_flight_units,
                ..
            } => Figures {
                quantity,
                owed,
                in_flight: (in_flight_batches, in_flight_units),
            },
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn key(&self, kind: &str) -> String {
        format!("hotdeal:{kind}:{{{}}}", self.product)
    }

    /// Does something to Redis behind the gate's back: `{p}` stands for the product's hash tag.
    pub(crate) async fn by_hand<T: FromRedisValue>(&self, command: &str) -> T {
        let tag = format!("{{{}}}", self.product);
        let command = command.replace("{p}", &tag);
        let mut words = command.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            cmd.arg(word);
        });
        let mut connection = self.redis.connection().await;
        cmd.query_async(&mut connection).await.unwrap()
    }

    pub(crate) async fn hash(&self, kind: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.by_hand(&format!("HGETALL {}", self.key(kind))).await
    }

    /// Units that the gate has counted for each buyer.
    pub(crate) async fn buyers(&self) -> BTreeMap<u128, i64> {
        let buyers = self.hash("buyers").await;
        buyers
            .into_iter()
            .map(|(user, units)| (number(&user), digits(&units)))
            .collect()
    }
}

/// What an open gate tells when it is settled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) quantity: i64,
    pub(crate) owed: i64,
    /// Batches, and their units.
    pub(crate) in_flight: (i64, i64),
}

pub(crate) fn number(id: &[u8]) -> u128 {
    u128::from_be_bytes(id.try_into().unwrap())
}

pub(crate) fn digits(text: &[u8]) -> i64 {
    std::str::from_utf8(text).unwrap().parse().unwrap()
}

pub(crate) fn batch_id(batch: u128) -> BatchId {
    BatchId(Uuid::from_u128(batch))
}

pub(crate) fn order_id(order: u128) -> OrderId {
    OrderId(Uuid::from_u128(order))
}

/// Order `order` of buyer `user` for `units`.
pub(crate) fn request(order: u128, user: u128, units: i64) -> Admission {
    Admission {
        order_id: order_id(order),
        user_id: UserId(Uuid::from_u128(user)),
        units,
        ignore_limit: false,
    }
}
