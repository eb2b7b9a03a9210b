//! The program is killed at each step of a deal's life, before its fact is committed and after it, when the
//! gate has still to follow; another one goes on from there.

use std::{future::Future, time::Duration};

use product_api::{DecreaseStockRequest, product_service_client::ProductServiceClient};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use test_kit::{Http, Port, Postgres, Process, Program, Redis, TestDatabase, eventually};
use tonic::transport::Channel;

use crate::{
    bed::{decrease, item, text},
    schedule::{HOUR, SOON, from_now},
};

const UNITS: i64 = 10;

/// Where the program is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// Its transaction waits for a lock.
    BeforeTheCommit,
    /// Its transaction has committed, and Redis does not answer.
    BeforeTheGate,
}

const STEPS: [At; 2] = [At::BeforeTheCommit, At::BeforeTheGate];

/// One program after another over the same database and Redis.
struct Life {
    database: TestDatabase,
    redis: Redis,
    ports: [Port; 3],
    process: Process,
    product: String,
}

impl Life {
    /// A running program and a product.
    async fn begin() -> Self {
        let database = Postgres::shared().database().await;
        let redis = Redis::start().await;
        let ports = [Port::free(), Port::free(), Port::free()];
        let process = start(&database, &redis, &ports).await;
        let mut life = Self {
            database,
            redis,
            ports,
            process,
            product: String::new(),
        };
        let new = json!({"name": "Lamp", "price": 500, "stock": UNITS});
        let (_, product, _) = life.http().post("/products", &[], &new).await;
        life.product = text(&product["id"]);
        life
    }

    fn http(&self) -> Http {
        Http::new(self.ports[0].http_url())
    }

    /// Tells the product's deal something.
    async fn tell(&self, what: &str, body: &Value) -> Value {
        let path = format!("/products/{}/hotdeal/{what}", self.product);
        let (status, body, _) = self.http().post(&path, &[], body).await;
        assert_eq!(status, 200, "{what}: {body}");
        body
    }

    /// Plans a deal of all units in `starts_in` for `lasts`.
    async fn plan(&self, starts_in: Duration, lasts: Duration) {
        let terms = json!({"product_id": self.product, "deal_price": 300, "deal_stock": UNITS,
            "starts_at": from_now(starts_in), "ends_at": from_now(starts_in + lasts)});
        let (status, body, _) = self.http().post("/products/deals", &[], &terms).await;
        assert_eq!(status, 201, "{body}");
    }

    /// Kills the program while it does `what`, and starts another. `fact` is a condition on the only
    /// deal's row, true once it is done.
    async fn killed_while(&mut self, at: At, what: impl Future<Output = ()> + Send, fact: &str) {
        let mut locker = self.sql().await;
        let mut lock = locker.begin().await.unwrap();
        match at {
            At::BeforeTheCommit => {
                let rows = "SELECT * FROM product.shelves FOR UPDATE; SELECT * FROM product.deals FOR UPDATE";
                sqlx::raw_sql(rows).execute(&mut *lock).await.unwrap();
            }
            At::BeforeTheGate => self.redis.pause(),
        }
        let caught = match at {
            At::BeforeTheCommit => "SELECT count(*) > 0 FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'"
                .to_owned(),
            At::BeforeTheGate => format!("SELECT count(*) > 0 FROM product.deals WHERE {fact}"),
        };
        let kill = async {
            self.until(&caught).await;
            self.process.kill9();
        };
        tokio::join!(what, kill);
        lock.rollback().await.unwrap();
        if at == At::BeforeTheGate {
            self.redis.resume();
        }
        self.process = start(&self.database, &self.redis, &self.ports).await;
    }

    async fn until(&self, condition: &str) {
        let mut db = self.sql().await;
        for _ in 0..4_000 {
            let condition = sqlx::AssertSqlSafe(condition.to_owned());
            let holds: bool = sqlx::query_scalar(condition)
                .fetch_one(&mut db)
                .await
                .unwrap();
            if holds {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never: {condition}");
    }

    async fn sql(&self) -> PgConnection {
        PgConnection::connect(&self.database.url).await.unwrap()
    }

    /// The live sum once gate and ledger agree.
    async fn at_rest(&self) -> Value {
        let path = format!("/products/{}/hotdeal", self.product);
        let live = eventually(SOON, "the gate agrees", || async {
            let (status, live, _) = self.http().get(&path, &[]).await;
            (status == 200 && live["drift"] == 0).then_some(live)
        });
        let live = live.await;
        let figure = |name: &str| live[name].as_i64().unwrap();
        let somewhere = ["available", "held", "sold", "written_off", "returned"].map(figure);
        let all: i64 = somewhere.iter().sum();
        assert_eq!(figure("initial") + figure("restocked"), all, "{live}");
        live
    }

    async fn status_is(&self, status: &str) {
        self.until(&format!(
            "SELECT count(*) = 1 FROM product.deals WHERE status = '{status}'"
        ))
        .await;
    }

    async fn hold(&self, order: u32, units: i64) {
        let channel = Channel::from_shared(self.ports[1].http_url()).unwrap();
        let mut grpc = ProductServiceClient::new(channel.connect().await.unwrap());
        let wanted: DecreaseStockRequest = decrease(order, vec![item(&self.product, units)]);
        grpc.decrease_stock(wanted).await.unwrap();
    }

    /// The running deal sells, and at its end no unit is missing and no key is left.
    async fn ends_well(&self, added: i64) {
        self.hold(1, 2).await;
        let live = self.at_rest().await;
        assert_eq!(live["status"], "running", "{live}");
        self.tell("end", &json!({})).await;
        self.is_over(UNITS + added - 2, 2).await;
    }

    async fn is_over(&self, on_the_shelf: i64, held: i64) {
        let redis = self.redis.connection().await;
        eventually(SOON, "no key is left", || {
            let mut redis = redis.clone();
            async move {
                let keys: i64 = redis::cmd("DBSIZE").query_async(&mut redis).await.unwrap();
                keys == 0
            }
        })
        .await;
        let path = format!("/products/{}/stock", self.product);
        let (_, stock, _) = self.http().get(&path, &[]).await;
        assert_eq!(stock["stock"], on_the_shelf, "{stock}");
        let path = format!("/products/{}/hotdeal", self.product);
        let (_, live, _) = self.http().get(&path, &[]).await;
        let figures = ["available", "held"].map(|name| live[name].as_i64().unwrap());
        assert_eq!((figures, &live["status"]), ([0, held], &json!("ended")));
        let mut db = self.sql().await;
        let deals: i64 = sqlx::query_scalar("SELECT count(*) FROM product.deals")
            .fetch_one(&mut db)
            .await
            .unwrap();
        assert_eq!(deals, 1);
    }

    /// A request that is never answered.
    fn unanswered(&self, what: &str, body: Value) -> impl Future<Output = ()> + Send + use<> {
        let (http, path) = (
            self.http(),
            format!("/products/{}/hotdeal/{what}", self.product),
        );
        async move {
            let post = "POST".parse().unwrap();
            // Or answered just before the kill: what follows the commit is not waited for.
            drop(http.send(post, &path, &[], Some(&body)).await);
        }
    }
}

async fn start(database: &TestDatabase, redis: &Redis, ports: &[Port; 3]) -> Process {
    let [http, grpc, ops] = ports;
    let program = Program::at(env!("CARGO_BIN_EXE_product-service"))
        .env("DATABASE_URL", &database.url)
        .env("REDIS_URL", redis.url())
        .env("PRODUCT_HTTP_ADDR", http.address().to_string())
        .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
        .env("PRODUCT_OPS_ADDR", ops.address().to_string());
    let process = Process::start(&program).await;
    process
        .wait_ready(&format!("{}/health/ready", ops.http_url()))
        .await;
    process
}

#[tokio::test]
async fn promise_8_killed_while_a_deal_starts_it_can_be_started() {
    for at in STEPS {
        let mut life = Life::begin().await;
        let start = life.unanswered("start", json!({}));
        life.killed_while(at, start, "status = 'running'").await;
        let started = life.tell("start", &json!({})).await;
        assert_eq!(started["stock"], UNITS, "{at:?}");
        life.ends_well(0).await;
    }
}

#[tokio::test]
async fn promise_8_killed_while_a_deal_ends_it_can_be_ended() {
    for at in STEPS {
        let mut life = Life::begin().await;
        life.tell("start", &json!({})).await;
        life.hold(1, 2).await;
        let end = life.unanswered("end", json!({}));
        life.killed_while(at, end, "status = 'ended'").await;
        if at == At::BeforeTheCommit {
            life.tell("end", &json!({})).await;
        }
        life.is_over(UNITS - 2, 2).await;
    }
}

#[tokio::test]
async fn promise_8_killed_while_a_deal_is_paused_it_can_be_resumed() {
    for at in STEPS {
        let mut life = Life::begin().await;
        life.tell("start", &json!({})).await;
        let pause = life.unanswered("pause", json!({}));
        life.killed_while(at, pause, "status = 'paused'").await;
        let resumed = life.tell("resume", &json!({})).await;
        assert_eq!(resumed["status"], "running", "{at:?}");
        life.ends_well(0).await;
    }
}

#[tokio::test]
async fn promise_8_killed_while_a_deal_is_restocked_it_has_the_units_once_or_not_at_all() {
    for at in STEPS {
        let mut life = Life::begin().await;
        life.tell("start", &json!({})).await;
        let restock = life.unanswered("restock", json!({"delta": 5}));
        life.killed_while(at, restock, "restocked = 5").await;
        let added = if at == At::BeforeTheGate { 5 } else { 0 };
        let live = life.at_rest().await;
        assert_eq!(live["available"], UNITS + added, "{at:?}: {live}");
        life.ends_well(added).await;
    }
}

#[tokio::test]
async fn promise_8_killed_while_a_scheduled_deal_starts_another_process_starts_it() {
    for at in STEPS {
        let mut life = Life::begin().await;
        life.plan(Duration::from_millis(1_500), HOUR).await;
        life.killed_while(at, async {}, "status = 'running'").await;
        life.status_is("running").await;
        life.ends_well(0).await;
    }
}

#[tokio::test]
async fn promise_8_killed_while_a_deal_ends_at_its_time_another_process_ends_it() {
    for at in STEPS {
        let mut life = Life::begin().await;
        life.plan(Duration::ZERO, Duration::from_secs(3)).await;
        life.hold(1, 2).await;
        life.killed_while(at, async {}, "status = 'ended'").await;
        life.status_is("ended").await;
        life.is_over(UNITS - 2, 2).await;
    }
}
