//! A service on free ports, over a database and a Redis of its own.

use std::ffi::OsString;

use product_api::{DecreaseStockRequest, StockItem, product_service_client::ProductServiceClient};
use product_service::{
    app::{Addresses, App},
    config::Config,
};
use serde_json::{Value, json};
use service_kit::{
    config::{Loaded, load_with},
    telemetry,
};
use sql::Engine;
use test_kit::{Http, Postgres, Redis, TestDatabase, scratch_directory};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;

/// An id that nothing has.
pub(crate) const NOBODY: &str = "0192f0c1-7b5e-7000-8000-000000000001";

/// A running service. It is stopped, with its servers, when it is dropped.
pub(crate) struct Bed {
    pub(crate) http: Http,
    pub(crate) addresses: Addresses,
    place: Place,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _redis: Option<Redis>,
}

impl Bed {
    /// On Postgres, with a gate.
    pub(crate) async fn start() -> Self {
        Self::on(Engine::Postgres).await
    }

    /// With a gate.
    pub(crate) async fn on(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    /// With a gate unless `variables`, which win over the bed's own, say otherwise.
    pub(crate) async fn with(engine: Engine, variables: &[(&str, &str)]) -> Self {
        let has_gate = !variables.contains(&("HOTDEAL_STOCK_REDIS", "false"));
        let redis = match has_gate {
            true => Some(Redis::start().await),
            false => None,
        };
        let place = Place::new(engine).await;
        let config = config(place.url(), redis.as_ref(), variables);
        let telemetry = telemetry::init(&config.common, "product-service").unwrap();
        let app = App::build(config, &telemetry).await.unwrap();
        let addresses = app.addresses().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let running = tokio::spawn(async move { app.run(stopped).await.unwrap() });
        Self {
            http: Http::new(format!("http://{}", addresses.http)),
            addresses,
            place,
            stop,
            running,
            _redis: redis,
        }
    }

    /// Where its tables are.
    pub(crate) fn url(&self) -> &str {
        self.place.url()
    }

    /// A client over a socket.
    pub(crate) async fn grpc(&self) -> ProductServiceClient<Channel> {
        ProductServiceClient::new(self.channel().await)
    }

    pub(crate) async fn channel(&self) -> Channel {
        let url = format!("http://{}", self.addresses.grpc);
        Channel::from_shared(url).unwrap().connect().await.unwrap()
    }

    /// Adds a product and answers its id.
    pub(crate) async fn product(&self, stock: i64, price: i64) -> String {
        let body = json!({"name": "Lamp", "price": price, "stock": stock});
        let (status, product, _) = self.http.post("/products", &[], &body).await;
        assert_eq!(status, 201, "{product}");
        text(&product["id"])
    }

    /// Starts a deal of all units and answers its id.
    pub(crate) async fn deal(&self, product_id: &str) -> String {
        let path = format!("/products/{product_id}/hotdeal/start");
        let (status, started, _) = self.http.post_empty(&path, &[]).await;
        assert_eq!(status, 200, "{started}");
        text(&started["deal_id"])
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body, _) = self.http.get(path, &[]).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Stops it and waits until it has drained.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

/// A database of its own.
enum Place {
    Postgres(TestDatabase),
    Sqlite(String),
}

impl Place {
    async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Self::Postgres(Postgres::shared().database().await),
            Engine::Sqlite => {
                let path = scratch_directory("product").join("product.db");
                Self::Sqlite(format!("sqlite://{}", path.display()))
            }
        }
    }

    fn url(&self) -> &str {
        match self {
            Self::Postgres(database) => &database.url,
            Self::Sqlite(url) => url,
        }
    }
}

fn config(url: &str, redis: Option<&Redis>, variables: &[(&str, &str)]) -> Config {
    let redis_url = redis.map(Redis::url).unwrap_or_default();
    let own = [
        ("DATABASE_URL", url),
        ("REDIS_URL", &redis_url),
        ("PRODUCT_HTTP_ADDR", "127.0.0.1:0"),
        ("PRODUCT_GRPC_ADDR", "127.0.0.1:0"),
        ("PRODUCT_OPS_ADDR", "127.0.0.1:0"),
        // Quiet: refusals are what these tests ask for.
        ("LOG", "off"),
    ];
    let look_up = |name: &str| {
        let found = variables.iter().chain(&own).find(|(key, _)| *key == name);
        found
            .filter(|(_, value)| !value.is_empty())
            .map(|(_, value)| OsString::from(value))
    };
    let args = [OsString::from("product-service")];
    match load_with("product-service", "", args, look_up).unwrap() {
        Loaded::Run(config) => config,
        Loaded::Done => panic!("nobody asked for a check"),
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The fields a problem names.
pub(crate) fn fields_of(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array();
    errors
        .into_iter()
        .flatten()
        .map(|error| text(&error["field"]))
        .collect()
}

/// The fields a status names.
pub(crate) fn violations_of(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request();
    request
        .into_iter()
        .flat_map(|request| request.field_violations)
        .map(|violation| violation.field)
        .collect()
}

/// The reason a status gives.
pub(crate) fn reason_of(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

/// A line of an order.
pub(crate) fn item(product_id: &str, quantity: i64) -> StockItem {
    StockItem {
        product_id: product_id.to_owned(),
        quantity,
        deal_id: None,
    }
}

/// A request for a hold by [`NOBODY`] in particular; `order` numbers the order's id.
pub(crate) fn decrease(order: u32, items: Vec<StockItem>) -> DecreaseStockRequest {
    DecreaseStockRequest {
        order_id: order_id(order),
        user_id: NOBODY.to_owned(),
        items,
        hold_ttl: None,
        first_attempt: false,
    }
}

pub(crate) fn order_id(order: u32) -> String {
    format!("0192f0c1-7b5e-7000-8000-{order:012}")
}
