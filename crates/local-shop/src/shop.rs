//! Postgres, Redis, replicas of both services, and the gateway in front.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use test_kit::{Http, Postgres, PostgresServer, Program, Redis, TestDatabase, eventually};

use crate::{Component, Gateway, Prometheus, Replica, ShopOptions, options::port};

/// With them the services would refuse calls that the shop's owner makes without.
const TOKENS: [&str; 2] = ["ADMIN_TOKEN", "SERVICE_TOKEN"];

/// Longer than a service's DRAIN_TIMEOUT.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    /// Replicas of product-service.
    pub product: Vec<Replica>,
    /// Replicas of order-service.
    pub order: Vec<Replica>,
    /// What stands in front of them. Declared after the services, it also ends after them.
    pub gateway: Option<Gateway>,
    /// What watches them.
    pub prometheus: Option<Prometheus>,
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
    pub async fn start(mut options: ShopOptions) -> Self {
        let postgres = start_postgres(&options).await;
        let database = match (&postgres, &options.kept_in) {
            (Some(own), Some(_)) => TestDatabase { url: own.url() },
            (Some(own), None) => own.database().await,
            (None, _) => Postgres::shared().database().await,
        };
        let redis = match options.has_gate {
            true => Some(start_redis(&options).await),
            false => None,
        };
        let mut shop = Self {
            product: Vec::new(),
            order: Vec::new(),
            gateway: None,
            prometheus: None,
            redis,
            postgres,
            database,
            grpc_urls: Vec::new(),
        };
        for _ in 0..options.replicas {
            shop.start_product_service(&mut options).await;
        }
        for _ in 0..options.replicas {
            shop.start_order_service(&mut options).await;
        }
        for replica in shop.product.iter().chain(&shop.order) {
            replica.ready().await;
        }
        if options.has_gateway {
            shop.start_gateway(&mut options).await;
        }
        if options.has_prometheus {
            shop.start_prometheus(&mut options).await;
        }
        shop
    }

    async fn start_product_service(&mut self, options: &mut ShopOptions) {
        let chosen = &mut options.addresses;
        let http = port(&mut chosen.product_http);
        let grpc = port(&mut chosen.product_grpc);
        let ops = port(&mut chosen.product_ops);
        let mut program = self
            .program("product-service", self.product.len(), options)
            .await
            .env("HOTDEAL_STOCK_REDIS", options.has_gate.to_string())
            .env("PRODUCT_HTTP_ADDR", http.address().to_string())
            .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
            .env("PRODUCT_OPS_ADDR", ops.address().to_string());
        if let Some(redis) = &self.redis {
            program = program.env("REDIS_URL", redis.url());
        }
        program = program.envs(options.product_env.iter().cloned());
        self.grpc_urls.push(grpc.http_url());
        let replica = Replica::start(program, http, ops, Some(grpc)).await;
        self.product.push(replica);
    }

    async fn start_order_service(&mut self, options: &mut ShopOptions) {
        let http = port(&mut options.addresses.order_http);
        let ops = port(&mut options.addresses.order_ops);
        let program = self
            .program("order-service", self.order.len(), options)
            .await
            .env("ORDER_HTTP_ADDR", http.address().to_string())
            .env("ORDER_OPS_ADDR", ops.address().to_string())
            .env("PRODUCT_GRPC_URL", self.grpc_urls.join(","))
            .envs(options.order_env.iter().cloned());
        self.order
            .push(Replica::start(program, http, ops, None).await);
    }

    /// What all services have in common.
    async fn program(&self, name: &'static str, number: usize, options: &ShopOptions) -> Program {
        let mut program = Program::compiled(name, options.profile).await;
        if options.is_environment_handed_on {
            let kept = std::env::vars_os().filter(|(name, _)| !TOKENS.iter().any(|it| name == it));
            program = program.envs(kept);
        }
        if let Some(directory) = &options.kept_in {
            program = program.logs_to(directory.join(format!("{name}-{}.log", number + 1)));
        }
        program
            .env("DATABASE_URL", &self.database.url)
            .envs(options.env.iter().cloned())
    }

    async fn start_gateway(&mut self, options: &mut ShopOptions) {
        let port = port(&mut options.addresses.gateway);
        let (orders, products) = (http_addresses(&self.order), http_addresses(&self.product));
        self.gateway = Some(Gateway::start(port, &orders, &products).await);
    }

    async fn start_prometheus(&mut self, options: &mut ShopOptions) {
        let port = port(&mut options.addresses.prometheus);
        let (orders, products) = (ops_addresses(&self.order), ops_addresses(&self.product));
        let kept_in = options.kept_in.as_deref();
        self.prometheus = Prometheus::start_if_installed(port, &orders, &products, kept_in).await;
    }

    /// Ends everything in order: first whoever asks, then whoever is asked. A service has 20 s for what it has begun.
    pub async fn stop(self) {
        drop(self.prometheus);
        drop(self.gateway);
        for replicas in [&self.order, &self.product] {
            for replica in replicas {
                replica.process.terminate();
            }
            for replica in replicas {
                replica.process.end(STOP_TIMEOUT).await;
            }
        }
        if let Some(redis) = &self.redis {
            redis.stop().await;
        }
        if let Some(postgres) = &self.postgres {
            postgres.stop().await;
        }
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

fn http_addresses(replicas: &[Replica]) -> Vec<SocketAddr> {
    replicas.iter().map(|it| it.http_address).collect()
}

fn ops_addresses(replicas: &[Replica]) -> Vec<SocketAddr> {
    replicas.iter().map(|it| it.ops_address).collect()
}

async fn start_postgres(options: &ShopOptions) -> Option<PostgresServer> {
    let settings: Vec<&str> = options.postgres_settings.iter().map(|it| &**it).collect();
    match (&options.kept_in, options.is_durable) {
        (Some(directory), _) => {
            let directory = directory.join("postgres");
            Some(PostgresServer::start_with(Some(&directory), &settings).await)
        }
        (None, true) => Some(PostgresServer::start_with(None, &settings).await),
        (None, false) => None,
    }
}

async fn start_redis(options: &ShopOptions) -> Redis {
    let Some(kept_in) = &options.kept_in else {
        return Redis::start().await;
    };
    let shown = |name: &str| kept_in.join(name).display().to_string();
    std::fs::create_dir_all(kept_in.join("redis")).expect("the directory is ours");
    let (directory, log) = (shown("redis"), shown("redis.log"));
    Redis::with_args(&[
        "--dir",
        &directory,
        "--logfile",
        &log,
        "--appendonly",
        "yes",
    ])
    .await
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
