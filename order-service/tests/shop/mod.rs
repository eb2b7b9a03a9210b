//! The service as a test sees it: the real router behind the real server, a real Postgres, and
//! product-service's wire in front of a double.
//!
//! - [`events`]: a client of server-sent events.
//! - [`product`]: the double. It stands for the wire and its faults, not for product-service: that the
//!   two fit together is for the end-to-end tests to show.
//! - [`proxy`]: stands before Postgres, loses answers and falls silent.

#![expect(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

pub(crate) mod events;
pub(crate) mod product;
pub(crate) mod proxy;

use std::ffi::OsString;

use order_service::{
    OrderService,
    config::Config,
    http,
    service::ServiceError,
    stock::{self, Transport},
    store::SCHEMA,
};
use product::Product;
use product_api::product_service_server::ProductServiceServer;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::{
    config::{Loaded, load_with},
    openapi,
    server::{HttpLimits, serve_http},
};
use sqlx::Connection as _;
use test_kit::{Http, Postgres, http::Answer};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A running order-service.
pub(crate) struct Shop {
    pub(crate) http: Http,
    pub(crate) product: Product,
    pub(crate) pool: sqlx::PgPool,
    pub(crate) database_url: String,
    /// How its background work ended.
    pub(crate) ended: JoinHandle<Result<(), ServiceError>>,
    stop: CancellationToken,
}

/// The buyer that most tests are about.
pub(crate) const BUYER: &str = "0192f0c1-7b5e-7000-8000-0000000000b1";
/// Another one.
pub(crate) const OTHER: &str = "0192f0c1-7b5e-7000-8000-0000000000b2";

impl Shop {
    /// With its own database and nothing out of the ordinary.
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With these flags.
    pub(crate) async fn open_with(flags: &[&str]) -> Self {
        let url = Postgres::shared().database().await.url;
        Self::open_on(&url, &url, Product::default(), flags).await
    }

    /// A replica that reaches the database at `url` by way of `service_url`.
    pub(crate) async fn open_on(
        url: &str,
        service_url: &str,
        product: Product,
        flags: &[&str],
    ) -> Self {
        let server = ProductServiceServer::new(product.clone());
        let transports = vec![stock::in_process(server.clone()), stock::in_process(server)];
        Self::open_over(url, service_url, product, transports, flags).await
    }

    /// A replica that reaches `product` over `transports`.
    pub(crate) async fn open_over(
        url: &str,
        service_url: &str,
        product: Product,
        transports: Vec<Transport>,
        flags: &[&str],
    ) -> Self {
        let config = config(service_url, flags);
        let limits = HttpLimits::from(&config.common);
        let service = OrderService::build(&config, transports).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let router = openapi::router(&http::openapi()).merge(service.router());
        tokio::spawn(serve_http(listener, router, limits, stop.clone()));
        let ended = tokio::spawn(service.run(stop.clone()));
        let database = sql::connect(sql::PoolOptions::new(url, SCHEMA))
            .await
            .unwrap();
        let pool = database.postgres().unwrap().clone();
        Self {
            http: Http::new(base),
            product,
            pool,
            database_url: url.to_owned(),
            ended,
            stop,
        }
    }

    /// `POST /orders` of [`BUYER`] without a key.
    pub(crate) async fn place(&self, body: &Value) -> Answer {
        self.http
            .post("/orders", &[("x-user-id", BUYER)], body)
            .await
    }

    /// `POST /orders` with a key.
    pub(crate) async fn place_keyed(&self, buyer: &str, key: &str, body: &Value) -> Answer {
        let headers = [("x-user-id", buyer), ("idempotency-key", key)];
        self.http.post("/orders", &headers, body).await
    }

    /// Places an order of [`BUYER`] that is accepted, and answers its id.
    pub(crate) async fn placed(&self, body: &Value) -> String {
        let (status, order, _) = self.place(body).await;
        assert_eq!(status, 202, "{order}");
        order["id"].as_str().unwrap().to_owned()
    }

    /// `GET` of [`BUYER`].
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.http.get(path, &[("x-user-id", BUYER)]).await
    }

    /// `POST` of [`BUYER`] without a body.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.http.post_empty(path, &[("x-user-id", BUYER)]).await
    }

    /// The order as its buyer sees it.
    pub(crate) async fn order(&self, id: &str) -> Value {
        let (status, order, _) = self.get(&format!("/orders/{id}")).await;
        assert_eq!(status, 200, "{order}");
        order
    }

    /// Tells it to stop.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// How many rows there are, by a connection of its own: those of the pool may be dead by now.
    pub(crate) async fn orders_len(&self) -> i64 {
        let mut connection = sqlx::PgConnection::connect(&self.database_url)
            .await
            .unwrap();
        let count = sqlx::query_scalar("SELECT count(*) FROM order_service.orders");
        count.fetch_one(&mut connection).await.unwrap()
    }

    /// Any request with any bytes as its body.
    pub(crate) async fn raw(&self, content_type: &str, body: Vec<u8>) -> u16 {
        let request = reqwest::Client::new()
            .request(Method::POST, self.http.url("/orders"))
            .header("x-user-id", BUYER)
            .header("content-type", content_type)
            .body(body);
        request.send().await.unwrap().status().as_u16()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The settings that these flags give, whatever the environment says.
pub(crate) fn config(database_url: &str, flags: &[&str]) -> Config {
    let url = format!("--database-url={database_url}");
    let args = ["order-service", url.as_str()].into_iter();
    let args = args.chain(flags.iter().copied()).map(OsString::from);
    match load_with::<Config>("order-service", "", args, |_| None) {
        Ok(Loaded::Run(config)) => config,
        other => panic!("{other:?}"),
    }
}

/// A body that asks for `quantity` units of one product.
pub(crate) fn one_line(product: Uuid, quantity: i64) -> Value {
    json!({"items": [{"product_id": product, "quantity": quantity}]})
}
