//! Postgres, Redis, replicas of both services, and the gateway in front.

use std::time::Duration;

use serde_json::{Value, json};
use test_kit::{Http, Port, Postgres, PostgresServer, Program, Redis, TestDatabase, eventually};

use crate::{Component, Gateway, Replica, ShopOptions};

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    /// Replicas of product-service.
    pub product: Vec<Replica>,
    /// Replicas of order-service.
    pub order: Vec<Replica>,
    /// What stands in front of them. Declared after the services, it also ends after them.
    pub gateway: Option<Gateway>,
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
            true => {
                let settings: Vec<&str> = options.postgres_settings.iter().map(|s| &**s).collect();
                Some(Postgres::start_durable_with(&settings).await)
            }
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
        let mut shop = Self {
            product: Vec::new(),
            order: Vec::new(),
            gateway: None,
            redis,
            postgres,
            database,
            grpc_urls: Vec::new(),
        };
        for _ in 0..options.replicas {
            shop.start_product_service(&options).await;
        }
        for _ in 0..options.replicas {
            shop.start_order_service(&options).await;
        }
        for replica in shop.product.iter().chain(&shop.order) {
            replica.ready().await;
        }
        if options.has_gateway {
            let addresses =
                |replicas: &[Replica]| replicas.iter().map(|one| one.http_address).collect();
            let (orders, products): (Vec<_>, Vec<_>) =
                (addresses(&shop.order), addresses(&shop.product));
            shop.gateway = Some(Gateway::start(Port::free(), &orders, &products).await);
        }
        shop
    }

    async fn start_product_service(&mut self, options: &ShopOptions) {
        let (http, grpc, ops) = (Port::free(), Port::free(), Port::free());
        let mut program = Program::compiled("product-service", options.profile)
            .await
            .env("DATABASE_URL", &self.database.url)
            .env("HOTDEAL_STOCK_REDIS", options.has_gate.to_string())
            .env("PRODUCT_HTTP_ADDR", http.address().to_string())
            .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
            .env("PRODUCT_OPS_ADDR", ops.address().to_string());
        if let Some(redis) = &self.redis {
            program = program.env("REDIS_URL", redis.url());
        }
        let env = options.env.iter().chain(&options.product_env);
        program = program.envs(env.cloned());
        self.grpc_urls.push(grpc.http_url());
        let replica = Replica::start(program, http, ops, Some(grpc)).await;
        self.product.push(replica);
    }

    async fn start_order_service(&mut self, options: &ShopOptions) {
        let (http, ops) = (Port::free(), Port::free());
        let env = options.env.iter().chain(&options.order_env);
        let program = Program::compiled("order-service", options.profile)
            .await
            .env("DATABASE_URL", &self.database.url)
            .env("ORDER_HTTP_ADDR", http.address().to_string())
            .env("ORDER_OPS_ADDR", ops.address().to_string())
            .env("PRODUCT_GRPC_URL", self.grpc_urls.join(","))
            .envs(env.cloned());
        self.order
            .push(Replica::start(program, http, ops, None).await);
    }

    /// What its processes are called, for [`usage`](crate::usage): `order-service`, `product-service`, `gateway`,
    /// `redis`, `postgres`, as far as they are this shop's own.
    pub fn components(&self) -> Vec<Component> {
        let pids = |replicas: &[Replica]| {
            let pids = replicas.iter().map(|replica| replica.process.pid());
            pids.collect::<Vec<_>>()
        };
        let all = [
            ("order-service", pids(&self.order)),
            ("product-service", pids(&self.product)),
            (
                "gateway",
                self.gateway.iter().map(|it| it.process.pid()).collect(),
            ),
            ("redis", self.redis.iter().map(Redis::pid).collect()),
            (
                "postgres",
                self.postgres.iter().map(PostgresServer::pid).collect(),
            ),
        ];
        let there = all.into_iter().filter(|(_, pids)| !pids.is_empty());
        there
            .map(|(name, pids)| Component::new(name, pids))
            .collect()
    }

    /// The shop as its buyers reach it: through the gateway, or the first order-service if there is none.
    pub fn front(&self) -> &Http {
        match &self.gateway {
            Some(gateway) => &gateway.http,
            None => &self.order[0].http,
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
