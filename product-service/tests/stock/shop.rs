//! Replicas of stock over one Postgres and one Redis, and short words for buying there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use domain::{DealId, IdSource, OrderId, ProductId, Quantity, SystemClock, UserId};
use futures::future::join_all;
use product_service::{
    deals::{Deals, StartDeal},
    gate::{Gate, GateOptions},
    ledger::command::{Refusal, Taken},
    stock::{Decrease, Stock, StockError, WantedLine},
    workers::{Retention, StockParts, Workers, build},
};
use test_kit::{Redis, eventually};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bed::{Bed, HOUR, order, user};
use sql::Engine;

/// How long the tests wait for what happens by itself.
pub(crate) const SOON: Duration = Duration::from_secs(15);

pub(crate) struct Shop {
    pub(crate) bed: Bed,
    pub(crate) redis: Option<Redis>,
}

/// One process of product-service, without its edges.
pub(crate) struct Replica {
    pub(crate) stock: Stock,
    pub(crate) deals: Deals,
    pub(crate) gate: Option<Gate>,
    _stop: DropGuard,
}

/// Bounds of a replica's batches and queues.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) batch_max: usize,
    pub(crate) queue_max: usize,
    pub(crate) sold_out_memory: Duration,
}

pub(crate) const BOUNDS: Bounds = Bounds {
    batch_max: 64,
    queue_max: 10_000,
    // Every request asks gate or ledger, unless a test is about the memory.
    sold_out_memory: Duration::ZERO,
};

impl Shop {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self {
            bed: Bed::new(engine).await,
            redis: Some(Redis::start().await),
        }
    }

    pub(crate) async fn without_gate(engine: Engine) -> Self {
        Self {
            bed: Bed::new(engine).await,
            redis: None,
        }
    }

    /// One with a gate, one without.
    pub(crate) async fn both(engine: Engine) -> [Self; 2] {
        [Self::new(engine).await, Self::without_gate(engine).await]
    }

    /// A replica that runs.
    pub(crate) async fn replica(&self) -> Replica {
        self.bounded_replica(BOUNDS).await
    }

    pub(crate) async fn bounded_replica(&self, bounds: Bounds) -> Replica {
        let (replica, workers, stop) = self.idle_replica(bounds).await;
        tokio::spawn(workers.run(stop));
        replica
    }

    /// A replica whose workers do not run yet.
    pub(crate) async fn idle_replica(
        &self,
        bounds: Bounds,
    ) -> (Replica, Workers, CancellationToken) {
        static SEED: AtomicU8 = AtomicU8::new(0);
        let seed = [SEED.fetch_add(1, Ordering::Relaxed); 32];
        let gate = match &self.redis {
            None => None,
            Some(redis) => {
                let options = GateOptions {
                    // A busy machine is no lost Redis.
                    response_timeout: Duration::from_secs(5),
                    ..GateOptions::new(redis.url())
                };
                Some(Gate::connect(options).await.unwrap())
            }
        };
        let store = self.bed.another_store().await;
        let (stock, deals, workers) = build(StockParts {
            worker_store: store.clone(),
            store,
            gate: gate.clone(),
            ids: IdSource::new(Arc::new(SystemClock), seed),
            hold_ttl: HOUR,
            sold_out_memory: bounds.sold_out_memory,
            retention: Retention::default(),
            batch_max: bounds.batch_max,
            queue_max: bounds.queue_max,
        });
        let stop = CancellationToken::new();
        let replica = Replica {
            stock,
            deals,
            gate,
            _stop: stop.clone().drop_guard(),
        };
        (replica, workers, stop)
    }

    pub(crate) fn redis(&self) -> &Redis {
        self.redis.as_ref().unwrap()
    }

    /// Does something to Redis behind the gate's back: `{p}` stands for the product's hash tag.
    pub(crate) async fn by_hand(&self, product_id: ProductId, command: &str) -> i64 {
        let command = command.replace("{p}", &format!("{{{product_id}}}"));
        let mut words = command.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = cmd.arg(word));
        let mut connection = self.redis().connection().await;
        cmd.query_async(&mut connection).await.unwrap()
    }

    /// How many of the gate's keys there are.
    pub(crate) async fn gate_keys(&self, product_id: ProductId) -> i64 {
        let keys = "EXISTS hotdeal:stock:{p} hotdeal:admitted:{p} hotdeal:buyers:{p} \
            hotdeal:inflight:{p}";
        self.by_hand(product_id, keys).await
    }

    pub(crate) async fn delete_gate(&self, product_id: ProductId) {
        let keys =
            "DEL hotdeal:stock:{p} hotdeal:admitted:{p} hotdeal:buyers:{p} hotdeal:inflight:{p}";
        self.by_hand(product_id, keys).await;
    }
}

impl Replica {
    /// Starts a deal with all units of the product's shelf.
    pub(crate) async fn start(&self, product_id: ProductId, limit: Option<i64>) -> DealId {
        let terms = StartDeal {
            per_user_limit: limit,
            ..all_of(product_id)
        };
        self.deals.start(terms).await.unwrap().deal.id
    }

    /// Order `number`'s first attempt at some units of one product, by a buyer of its own.
    pub(crate) async fn buy(
        &self,
        number: u128,
        product_id: ProductId,
        units: i64,
    ) -> Result<Taken, StockError> {
        let wanted = request(order(number), user(number), &[(product_id, units)]);
        self.stock.decrease(wanted, None).await
    }

    /// The same order once more.
    pub(crate) async fn retry(
        &self,
        number: u128,
        product_id: ProductId,
        units: i64,
    ) -> Result<Taken, StockError> {
        let wanted = Decrease {
            first_attempt: false,
            ..request(order(number), user(number), &[(product_id, units)])
        };
        self.stock.decrease(wanted, None).await
    }

    pub(crate) async fn restore(&self, number: u128) {
        let reason = "CANCELLED_BY_USER".to_owned();
        let restored = self.stock.restore(order(number), reason, None).await;
        restored.unwrap();
    }

    /// Waits until gate and ledger agree to the unit.
    pub(crate) async fn agrees(&self, product_id: ProductId) {
        eventually(SOON, "the drift is 0", || async {
            self.deals.live(product_id).await.unwrap().drift == Some(0)
        })
        .await;
    }
}

/// A deal of all units of the shelf, without limit or end.
pub(crate) fn all_of(product_id: ProductId) -> StartDeal {
    StartDeal {
        product_id,
        units: None,
        unit_price: None,
        per_user_limit: None,
        ends_at: None,
    }
}

/// A first attempt.
pub(crate) fn request(order_id: OrderId, user_id: UserId, lines: &[(ProductId, i64)]) -> Decrease {
    let line = |(product_id, units): &(ProductId, i64)| WantedLine {
        product_id: *product_id,
        quantity: Quantity::try_from(*units).unwrap(),
        deal_id: None,
    };
    Decrease {
        order_id,
        user_id,
        lines: lines.iter().map(line).collect(),
        hold_ttl: None,
        first_attempt: true,
    }
}

/// How a crowd fared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fared {
    pub(crate) held: usize,
    pub(crate) out_of_stock: usize,
    pub(crate) other: Vec<StockError>,
}

/// First attempts of these orders at one unit each, all at once, spread over the replicas.
pub(crate) async fn crowd(
    replicas: &[Replica],
    product_id: ProductId,
    orders: std::ops::Range<u128>,
) -> Fared {
    let attempts = orders.zip(replicas.iter().cycle());
    let attempts = attempts.map(|(number, replica)| replica.buy(number, product_id, 1));
    let mut fared = Fared::default();
    for attempt in join_all(attempts).await {
        match attempt {
            Ok(_) => fared.held += 1,
            Err(StockError::Refused(Refusal::OutOfStock(_))) => fared.out_of_stock += 1,
            Err(other) => fared.other.push(other),
        }
    }
    fared
}

#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, StockError>) -> Refusal {
    match answer {
        Err(StockError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}
