//! Postgres, Redis, and replicas of both services.

use std::time::Duration;

use serde_json::{Value, json};
use test_kit::{
    Http, Port, Postgres, PostgresServer, Process, Program, Redis, TestDatabase, eventually,
};

/// How many replicas of what.
#[derive(Debug, Clone)]
pub struct ShopOptions {
    /// Processes of each service.
    pub replicas: usize,
    /// Whether there is a Redis.
    pub has_gate: bool,
    /// Whether Postgres is a server of this shop alone, with fsync on; else one that tests share.
    pub is_durable: bool,
    /// More environment variables, for both services.
    pub env: Vec<(&'static str, String)>,
}

impl Default for ShopOptions {
    fn default() -> Self {
        Self {
            replicas: 1,
            has_gate: true,
            is_durable: false,
            env: Vec::new(),
        }
    }
}

/// A process with the ports it holds.
#[derive(Debug)]
pub struct Replica {
    /// The process; dropped, it is killed.
    pub process: Process,
    /// Its HTTP endpoints.
    pub http: Http,
    /// Its ops port.
    pub ops: Http,
    program: Program,
    ready_url: String,
    _ports: Vec<Port>,
}

impl Replica {
    async fn start(program: Program, http: Port, ops: Port, more: Option<Port>) -> Self {
        let ready_url = format!("{}/health/ready", ops.http_url());
        let process = Process::start(&program).await;
        Self {
            process,
            http: Http::new(http.http_url()),
            ops: Http::new(ops.http_url()),
            program,
            ready_url,
            _ports: [http, ops].into_iter().chain(more).collect(),
        }
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        self.process.wait_ready(&self.ready_url).await;
    }

    /// Starts it again on the same ports, after it was killed or has ended.
    pub async fn restart(&mut self) {
        self.process = Process::start(&self.program).await;
        self.ready().await;
    }
}

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    /// Replicas of product-service.
    pub product: Vec<Replica>,
    /// Replicas of order-service.
    pub order: Vec<Replica>,
    /// The gate's Redis.
    pub redis: Option<Redis>,
    /// The shop's own Postgres, if it has one.
    pub postgres: Option<PostgresServer>,
    /// Both services' database.
    pub database: TestDatabase,
    /// gRPC addresses of product-service.
    pub grpc_urls: Vec<String>,
}

/// A product with a running deal.
#[derive(Debug, Clone)]
pub struct Deal {
    /// The product.
    pub product_id: String,
    /// Its deal.
    pub deal_id: String,
}

impl Shop {
    /// Starts everything and waits until it is ready.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start(options: ShopOptions) -> Self {
        let postgres = match options.is_durable {
            true => Some(Postgres::start_durable().await),
            false => None,
        };
        let database = match &postgres {
            Some(own) => own.database().await,
            None => Postgres::shared().database().await,
        };
        let redis = match options.has_gate {
            true => Some(Redis::start().await),
            false => None,
        };
        let mut product = Vec::new();
        let mut grpc_urls = Vec::new();
        for _ in 0..options.replicas {
            let (http, grpc, ops) = (Port::free(), Port::free(), Port::free());
            let mut program = Program::of_workspace("product-service")
                .await
                .env("DATABASE_URL", &database.url)
                .env("HOTDEAL_STOCK_REDIS", options.has_gate.to_string())
                .env("PRODUCT_HTTP_ADDR", http.address().to_string())
                .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
                .env("PRODUCT_OPS_ADDR", ops.address().to_string());
            if let Some(redis) = &redis {
                program = program.env("REDIS_URL", redis.url());
            }
            for (name, value) in &options.env {
                program = program.env(name, value);
            }
            grpc_urls.push(grpc.http_url());
            product.push(Replica::start(program, http, ops, Some(grpc)).await);
        }
        let mut order = Vec::new();
        for _ in 0..options.replicas {
            let (http, ops) = (Port::free(), Port::free());
            let mut program = Program::of_workspace("order-service")
                .await
                .env("DATABASE_URL", &database.url)
                .env("ORDER_HTTP_ADDR", http.address().to_string())
                .env("ORDER_OPS_ADDR", ops.address().to_string())
                .env("PRODUCT_GRPC_URL", grpc_urls.join(","));
            for (name, value) in &options.env {
                program = program.env(name, value);
            }
            order.push(Replica::start(program, http, ops, None).await);
        }
        for replica in product.iter().chain(&order) {
            replica.ready().await;
        }
        Self {
            product,
            order,
            redis,
            postgres,
            database,
            grpc_urls,
        }
    }

    /// Adds a product with `stock` units on its shelf. Answers its id.
    ///
    /// # Panics
    /// When the shop refuses.
    pub async fn add_product(&self, stock: i64) -> String {
        let body = json!({"name": "한정판 운동화", "price": 10_000, "stock": stock});
        let (status, product, _) = self.product[0].http.post("/products", &[], &body).await;
        assert_eq!(status, 201, "{product}");
        text(&product, "id")
    }

    /// Adds a product and starts a deal with all its `units`.
    ///
    /// # Panics
    /// When the shop refuses.
    pub async fn start_deal(&self, units: i64) -> Deal {
        let product_id = self.add_product(units).await;
        let path = format!("/products/{product_id}/hotdeal/start");
        let (status, started, _) = self.product[0].http.post_empty(&path, &[]).await;
        assert_eq!(status, 200, "{started}");
        Deal {
            deal_id: text(&started, "deal_id"),
            product_id,
        }
    }

    /// The live sum of a product's deal, by whichever replica is asked.
    ///
    /// # Panics
    /// When the shop refuses.
    pub async fn live(&self, product_id: &str) -> Value {
        let path = format!("/products/{product_id}/hotdeal");
        let (status, live, _) = self.product[0].http.get(&path, &[]).await;
        assert_eq!(status, 200, "{live}");
        live
    }

    /// Waits until nothing is between gate and ledger and the gate agrees with the ledger, then checks
    /// that every unit is somewhere. Answers the live sum.
    ///
    /// # Panics
    /// When they do not agree within 10 s, or a unit is missing.
    pub async fn at_rest(&self, product_id: &str) -> Value {
        let settled = eventually(
            Duration::from_secs(10),
            "gate and ledger agree",
            async || {
                let live = self.live(product_id).await;
                let drift = &live["drift"];
                (drift.is_null() || *drift == 0).then_some(live)
            },
        );
        let live = settled.await;
        assert_balanced(&live);
        live
    }
}

/// Checks `initial + restocked = available + held + sold + written_off + returned`, none negative.
///
/// # Panics
/// When a unit is missing or one too many.
pub fn assert_balanced(live: &Value) {
    let figure = |name: &str| {
        let figure = live[name]
            .as_i64()
            .unwrap_or_else(|| panic!("{name} in {live}"));
        assert!(figure >= 0, "{name} is negative in {live}");
        figure
    };
    let came = figure("initial") + figure("restocked");
    let is_somewhere = ["available", "held", "sold", "written_off", "returned"];
    assert_eq!(came, is_somewhere.map(figure).iter().sum::<i64>(), "{live}");
}

fn text(value: &Value, name: &str) -> String {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("{name} in {value}"))
        .to_owned()
}
