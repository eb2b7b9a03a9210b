//! The program on a file of SQLite: killed, short of disk, and started twice.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use product_api::{ConfirmStockRequest, product_service_client::ProductServiceClient};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use test_kit::{Http, Port, Process, Program, eventually, scratch_directory};
use tonic::{Code, transport::Channel};

use crate::bed::{decrease, item, order_id, text};

const LONG: Duration = Duration::from_secs(60);
const UNITS: i64 = 100_000;
const BUYERS_AT_ONCE: u32 = 16;
const KILLS: usize = 5;

/// A program on a file, which can be killed and started again.
struct OnFile {
    path: PathBuf,
    program: Program,
    http: Port,
    grpc: Port,
    ops: Port,
}

impl OnFile {
    fn new() -> Self {
        let path = scratch_directory("product").join("product.db");
        let (http, grpc, ops) = (Port::free(), Port::free(), Port::free());
        // A file that has reached the largest size allowed is an error here, not the end.
        let script = "trap '' XFSZ; exec \"$0\"";
        let program = Program::at("/bin/sh")
            .arg("-c")
            .arg(script)
            .arg(env!("CARGO_BIN_EXE_product-service"))
            .env("DATABASE_URL", format!("sqlite://{}", path.display()))
            .env("HOTDEAL_STOCK_REDIS", "false")
            .env("PRODUCT_HTTP_ADDR", http.address().to_string())
            .env("PRODUCT_GRPC_ADDR", grpc.address().to_string())
            .env("PRODUCT_OPS_ADDR", ops.address().to_string());
        Self {
            path,
            program,
            http,
            grpc,
            ops,
        }
    }

    async fn start(&self) -> Process {
        let process = Process::start(&self.program).await;
        let ready = format!("{}/health/ready", self.ops.http_url());
        process.wait_ready(&ready).await;
        process
    }

    fn http(&self) -> Http {
        Http::new(self.http.http_url())
    }

    async fn grpc(&self) -> ProductServiceClient<Channel> {
        let channel = Channel::from_shared(self.grpc.http_url()).unwrap();
        ProductServiceClient::new(channel.connect().await.unwrap())
    }

    /// A product whose units all sell from a deal.
    async fn hot_product(&self) -> String {
        let body = json!({"name": "Lamp", "price": 1_000, "stock": UNITS});
        let (status, product, _) = self.http().post("/products", &[], &body).await;
        assert_eq!(status, 201, "{product}");
        let id = text(&product["id"]);
        let path = format!("/products/{id}/hotdeal/start");
        let (status, started, _) = self.http().post_empty(&path, &[]).await;
        assert_eq!(status, 200, "{started}");
        id
    }

    async fn figures(&self, product: &str) -> Value {
        let path = format!("/products/{product}/hotdeal");
        let (status, figures, _) = self.http().get(&path, &[]).await;
        assert_eq!(status, 200, "{figures}");
        figures
    }
}

/// What buyers were told, which must stay true.
#[derive(Debug, Default)]
struct Told {
    /// Deadlines of the holds that were acknowledged, by order.
    held: Mutex<BTreeMap<u32, Option<prost_types::Timestamp>>>,
    sold: Mutex<Vec<u32>>,
    /// Orders that were begun; those not acknowledged may hold a unit or not.
    begun: AtomicU32,
    /// Told that it did not work out; they may hold a unit or not.
    failed: AtomicU32,
}

impl Told {
    fn acknowledged(&self) -> usize {
        self.held.lock().unwrap().len()
    }

    /// One order, sometimes confirmed.
    async fn buy(
        &self,
        shop: &mut ProductServiceClient<Channel>,
        product: &str,
    ) -> Result<(), tonic::Status> {
        let order = self.begun.fetch_add(1, Ordering::Relaxed);
        let wanted = decrease(order, vec![item(product, 1)]);
        let held = shop.decrease_stock(wanted).await?.into_inner();
        self.held.lock().unwrap().insert(order, held.expires_at);
        if order.is_multiple_of(3) {
            let order_id = order_id(order);
            shop.confirm_stock(ConfirmStockRequest { order_id }).await?;
            self.sold.lock().unwrap().push(order);
        }
        Ok(())
    }

    /// Buyers who go on until the program is gone.
    async fn crowd(
        self: &Arc<Self>,
        shop: &OnFile,
        product: &str,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let client = shop.grpc().await;
        let buyers = (0..BUYERS_AT_ONCE).map(|_| {
            let (told, mut client, product) =
                (Arc::clone(self), client.clone(), product.to_owned());
            tokio::spawn(async move {
                // What is not ours to answer is the transport's: the program is gone.
                while let Ok(()) | Err(true) = told.is_over(told.buy(&mut client, &product).await) {
                }
            })
        });
        buyers.collect()
    }

    /// `Err(true)`: the shop could not, and a buyer goes on; `Err(false)`: it is gone.
    fn is_over(&self, bought: Result<(), tonic::Status>) -> Result<(), bool> {
        let Err(status) = bought else { return Ok(()) };
        self.failed.fetch_add(1, Ordering::Relaxed);
        let is_said = status.code() == Code::Unavailable && status.source_is_the_shop();
        Err(is_said || status.code() == Code::DeadlineExceeded)
    }

    async fn until(&self, acknowledged: usize) {
        eventually(LONG, "the crowd is served", || async {
            self.acknowledged() >= acknowledged
        })
        .await;
    }

    /// Every acknowledged hold is there as it was told, and the sum is exact.
    async fn holds_true(&self, shop: &OnFile, product: &str) {
        let held = self.held.lock().unwrap().clone();
        let sold = self.sold.lock().unwrap().clone();
        let mut client = shop.grpc().await;
        for (order, expires_at) in &held {
            let again = decrease(*order, vec![item(product, 1)]);
            let again = client.decrease_stock(again).await.unwrap().into_inner();
            assert!(again.replayed, "order {order} was lost");
            assert_eq!(again.expires_at, *expires_at, "order {order}");
        }
        for order in &sold {
            let order_id = order_id(*order);
            let again = client.confirm_stock(ConfirmStockRequest { order_id }).await;
            again.unwrap();
        }
        let figures = shop.figures(product).await;
        let figure = |name: &str| figures[name].as_i64().unwrap();
        let taken = figure("held") + figure("sold");
        assert_eq!(figure("available") + taken, UNITS, "{figures}");
        let begun = i64::from(self.begun.load(Ordering::Relaxed));
        let acknowledged = i64::try_from(held.len()).unwrap();
        assert!(
            (acknowledged..=begun).contains(&taken),
            "{acknowledged}..={begun}: {figures}"
        );
        let confirmed = i64::try_from(sold.len()).unwrap();
        assert!(figure("sold") >= confirmed, "{confirmed}: {figures}");
    }
}

/// Whether a status was made by the shop, not by a connection that broke.
trait Source {
    fn source_is_the_shop(&self) -> bool;
}

impl Source for tonic::Status {
    fn source_is_the_shop(&self) -> bool {
        std::error::Error::source(self).is_none()
    }
}

fn random(max: usize) -> usize {
    usize::try_from(getrandom::u64().unwrap() % max as u64).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_killed_again_and_again_it_keeps_every_hold_it_acknowledged() {
    let shop = OnFile::new();
    let mut process = shop.start().await;
    let product = shop.hot_product().await;
    let told = Arc::new(Told::default());
    for _ in 0..KILLS {
        let buyers = told.crowd(&shop, &product).await;
        told.until(told.acknowledged() + 1 + random(300)).await;
        process.kill9();
        process.wait(LONG).await;
        join_all(buyers).await;
        process = shop.start().await;
        told.holds_true(&shop, &product).await;
    }
}

/// Lets no file of the process grow beyond so many bytes.
fn bound_files(process: &Process, len_max: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(process.pid()).unwrap());
    let limit = Rlimit {
        current: len_max,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

fn log_len(shop: &OnFile) -> u64 {
    let log = format!("{}-wal", shop.path.display());
    std::fs::metadata(log).map_or(0, |log| log.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_short_of_disk_it_loses_no_hold_and_sells_on_once_there_is_room() {
    let shop = OnFile::new();
    let process = shop.start().await;
    let product = shop.hot_product().await;
    let told = Arc::new(Told::default());
    let buyers = told.crowd(&shop, &product).await;
    told.until(50).await;
    bound_files(&process, Some(log_len(&shop) + 100_000));
    eventually(LONG, "buyers are told that it does not work", || async {
        told.failed.load(Ordering::Relaxed) > 20
    })
    .await;
    bound_files(&process, None);
    told.until(told.acknowledged() + 100).await;
    // Once more, and killed while it is short: what was not committed may come back, nothing is lost.
    bound_files(&process, Some(log_len(&shop) + 100_000));
    let failed = told.failed.load(Ordering::Relaxed);
    eventually(LONG, "buyers are told again", || async {
        told.failed.load(Ordering::Relaxed) > failed + 20
    })
    .await;
    process.kill9();
    process.wait(LONG).await;
    join_all(buyers).await;
    let _process = shop.start().await;
    told.holds_true(&shop, &product).await;
}

#[tokio::test]
async fn started_twice_on_one_file_the_second_is_told_who_has_it() {
    let shop = OnFile::new();
    let first = shop.start().await;
    let second = OnFile::new();
    let program = second
        .program
        .env("DATABASE_URL", format!("sqlite://{}", shop.path.display()));
    let second = Process::start(&program).await;
    assert!(!second.wait(LONG).await.success());
    let output = second.output();
    let whose = format!("in use by the program with process id {}", first.pid());
    assert!(
        output.contains("DATABASE_URL") && output.contains(&whose),
        "{output}"
    );
    first.terminate();
    assert!(first.wait(LONG).await.success(), "{}", first.output());
    assert_eq!(log_len(&shop), 0, "a clean end leaves no log");
}
