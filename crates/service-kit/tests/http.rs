//! The HTTP server over real sockets: every refusal, every limit, the drain.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::{
    auth::{Access, bearer_layer},
    config::Common,
    extract::{Json, OptionalJson, Path, Query},
    page::PageQuery,
    server::{HttpLimits, serve_http},
    trace,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Deserialize)]
struct Order {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    quantity: i64,
}

#[derive(Debug, Default, Deserialize)]
struct Reason {
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: PageQuery,
    status: Option<String>,
}

/// A server on a free port, and its clients.
struct App {
    addr: SocketAddr,
    client: Client,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    /// Wakes one `/wait`.
    go: Arc<Notify>,
    /// Woken when a `/wait` has begun.
    begun: Arc<Notify>,
}

fn limits() -> HttpLimits {
    HttpLimits::from(&Common::default())
}

impl App {
    async fn start(limits: HttpLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (go, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let addr = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = router(go.clone(), begun.clone());
        Self {
            addr,
            client: Client::new(),
            serving: tokio::spawn(serve_http(listener, router, limits, stop.clone())),
            stop,
            go,
            begun,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.addr))
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    }

    /// Sends a request to `/wait` and returns when its handler runs.
    async fn waiting(&self) -> JoinHandle<reqwest::Result<reqwest::Response>> {
        let sent = tokio::spawn(self.get("/wait").send());
        self.begun.notified().await;
        sent
    }
}

fn router(go: Arc<Notify>, begun: Arc<Notify>) -> Router {
    let wait = async move || {
        begun.notify_one();
        go.notified().await;
        "done"
    };
    let secret = Access::Token("t0ken".parse().unwrap());
    Router::new()
        .route(
            "/admin",
            post(async || "changed").layer(bearer_layer(secret)),
        )
        .route(
            "/orders",
            post(async |Json(order): Json<Order>| total(&order)),
        )
        .route(
            "/cancel",
            post(async |OptionalJson(body): OptionalJson<Reason>| body.reason.unwrap_or_default()),
        )
        .route(
            "/page",
            get(async |Query(page): Query<PageQuery>| page.offset().to_string()),
        )
        .route(
            "/list",
            get(async |Query(filter): Query<Filter>| {
                format!("{:?} {}", filter.status, filter.page.limit())
            }),
        )
        .route(
            "/things/{id}",
            get(async |Path(id): Path<u32>| id.to_string()),
        )
        .route(
            "/things/{id}/parts/{part}",
            get(async |Path((_, part)): Path<(u32, u32)>| part.to_string()),
        )
        .route("/trace", get(async || trace::current().unwrap().header()))
        .route("/panic", get(panics))
        .route("/wait", get(wait))
}

fn total(order: &Order) -> String {
    order
        .items
        .iter()
        .map(|item| item.quantity)
        .sum::<i64>()
        .to_string()
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

/// Status, code and fields of a problem.
async fn refused(request: RequestBuilder) -> (u16, String, Vec<String>) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], json!(status));
    let fields = body["errors"].as_array().into_iter().flatten();
    let fields = fields
        .map(|field| field["field"].as_str().unwrap().to_owned())
        .collect();
    (status, body["error"].as_str().unwrap().to_owned(), fields)
}

fn invalid(status: u16, fields: &[&str]) -> (u16, String, Vec<String>) {
    (
        status,
        "INVALID".to_owned(),
        fields.iter().map(|&field| field.to_owned()).collect(),
    )
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_its_field() {
    let app = App::start(limits()).await;
    let good = app.post("/orders", r#"{"items":[{"quantity":2},{"quantity":3}]}"#);
    assert_eq!(good.send().await.unwrap().text().await.unwrap(), "5");
    let untyped = app.request(Method::POST, "/orders").body("{}");
    assert_eq!(refused(untyped).await, invalid(415, &[]));
    let text = app
        .request(Method::POST, "/orders")
        .header("content-type", "text/plain")
        .body("{}");
    assert_eq!(refused(text).await, invalid(415, &[]));
    assert_eq!(refused(app.post("/orders", "{")).await, invalid(400, &[]));
    assert_eq!(
        refused(app.post("/orders", &b"{\"items\":[],\"n\":\"\xff\"}"[..])).await,
        invalid(400, &[])
    );
    let wrong = app.post("/orders", r#"{"items":[{"quantity":"1"}]}"#);
    assert_eq!(refused(wrong).await, invalid(422, &["items[0].quantity"]));
}

#[tokio::test]
async fn an_empty_body_will_do_where_everything_is_optional() {
    let app = App::start(limits()).await;
    for request in [
        app.request(Method::POST, "/cancel"),
        app.post("/cancel", ""),
        app.post("/cancel", "{}"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let given = app
        .post("/cancel", r#"{"reason":"late"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(given.text().await.unwrap(), "late");
    assert_eq!(
        refused(app.post("/cancel", r#"{"reason":1}"#)).await,
        invalid(422, &["reason"])
    );
    let untyped = app.request(Method::POST, "/cancel").body("{}");
    assert_eq!(refused(untyped).await, invalid(415, &[]));
}

#[tokio::test]
async fn a_wrong_query_is_refused_with_its_field() {
    let app = App::start(limits()).await;
    for (query, offset) in [
        ("", "0"),
        ("?page=3&size=10", "20"),
        ("?page=4294967295&size=100", "429496729400"),
    ] {
        let text = app
            .get(&format!("/page{query}"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(text, offset, "{query:?}");
    }
    for (query, field) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=4294967296", "page"),
        ("size=0", "size"),
        ("size=101", "size"),
        ("size=", "size"),
        ("size=1&size=2", "size"),
    ] {
        assert_eq!(
            refused(app.get(&format!("/page?{query}"))).await,
            invalid(422, &[field]),
            "{query}"
        );
    }
    let list = app.get("/list?status=PENDING&size=7").send().await.unwrap();
    assert_eq!(list.text().await.unwrap(), "Some(\"PENDING\") 7");
    assert_eq!(
        refused(app.get("/list?size=101")).await,
        invalid(422, &["size"])
    );
}

#[tokio::test]
async fn a_malformed_id_is_refused_with_its_name() {
    let app = App::start(limits()).await;
    assert_eq!(
        app.get("/things/7")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "7"
    );
    for id in ["x", "-1", "4294967296", "%00", "%7B7%7D"] {
        assert_eq!(
            refused(app.get(&format!("/things/{id}"))).await,
            invalid(422, &["id"]),
            "{id}"
        );
    }
    assert_eq!(refused(app.get("/things/%ff")).await, invalid(422, &["id"]));
    assert_eq!(
        refused(app.get("/things/1/parts/x")).await,
        invalid(422, &["part"])
    );
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems() {
    let app = App::start(limits()).await;
    assert_eq!(
        refused(app.get("/nowhere")).await,
        (404, "NOT_FOUND".to_owned(), vec![])
    );
    let wrong = app.request(Method::DELETE, "/orders").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.headers()[header::ALLOW], "POST");
    assert_eq!(wrong.json::<Value>().await.unwrap()["error"], "INVALID");
}

#[tokio::test]
async fn without_the_token_nothing_changes() {
    let app = App::start(limits()).await;
    let response = app.request(Method::POST, "/admin").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(
        response.json::<Value>().await.unwrap()["error"],
        "UNAUTHORIZED"
    );
    let wrong = app.request(Method::POST, "/admin").bearer_auth("t0ke");
    assert_eq!(refused(wrong).await.0, 401);
    let right = app
        .request(Method::POST, "/admin")
        .bearer_auth("t0ken")
        .send()
        .await
        .unwrap();
    assert_eq!(right.text().await.unwrap(), "changed");
}

#[tokio::test]
async fn a_body_above_the_cap_is_refused_announced_or_not() {
    let app = App::start(HttpLimits {
        body_len_max: 64,
        ..limits()
    })
    .await;
    let long = format!(r#"{{"items":[],"note":"{}"}}"#, "x".repeat(64));
    assert_eq!(
        refused(app.post("/orders", long.clone())).await,
        invalid(413, &[])
    );
    let head = "POST /orders HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunked = format!("{head}{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    assert!(
        exchange(app.addr, &chunked)
            .await
            .starts_with("HTTP/1.1 413 ")
    );
    let fits = r#"{"items":[{"quantity":1}]}"#;
    assert_eq!(
        app.post("/orders", fits).send().await.unwrap().status(),
        StatusCode::OK
    );
}

/// Sends `text` and reads until something has come and the server pauses or closes.
async fn exchange(addr: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let len = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..len]).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_end_is_closed() {
    let app = App::start(HttpLimits {
        header_timeout: Duration::from_millis(100),
        ..limits()
    })
    .await;
    assert_eq!(
        exchange(app.addr, "GET /trace HTTP/1.1\r\nhost: h\r\n").await,
        ""
    );
    assert_eq!(exchange(app.addr, "").await, "");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_in_time() {
    let app = App::start(HttpLimits {
        request_timeout: Duration::from_millis(100),
        ..limits()
    })
    .await;
    let head = "POST /orders HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let answer = exchange(app.addr, head).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let app = App::start(limits()).await;
    let head = format!("GET /trace HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(80_000));
    let answer = exchange(app.addr, &head).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_answered_for() {
    let app = App::start(HttpLimits {
        request_timeout: Duration::from_millis(50),
        ..limits()
    })
    .await;
    assert_eq!(
        refused(app.get("/wait")).await,
        (503, "UNAVAILABLE".to_owned(), vec![])
    );
}

#[tokio::test]
async fn a_panic_is_our_fault_and_the_server_lives_on() {
    let app = App::start(limits()).await;
    assert_eq!(
        refused(app.get("/panic")).await,
        (500, "INTERNAL".to_owned(), vec![])
    );
    assert_eq!(
        app.get("/things/7").send().await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn requests_beyond_the_cap_are_shed_with_a_hint() {
    let app = App::start(HttpLimits {
        in_flight_max: 2,
        ..limits()
    })
    .await;
    let (first, second) = (app.waiting().await, app.waiting().await);
    let shed = app.get("/things/7").send().await.unwrap();
    assert_eq!(shed.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shed.headers()[header::RETRY_AFTER], "1");
    assert_eq!(shed.json::<Value>().await.unwrap()["error"], "OVERLOADED");
    app.go.notify_one();
    app.go.notify_waiters();
    for sent in [first, second] {
        assert_eq!(sent.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(
        app.get("/things/7").send().await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_connection_beyond_the_cap_waits_until_one_ends() {
    let app = App::start(HttpLimits {
        connections_max: 1,
        ..limits()
    })
    .await;
    let mut first = TcpStream::connect(app.addr).await.unwrap();
    let request = b"GET /things/7 HTTP/1.1\r\nhost: h\r\n\r\n";
    first.write_all(request).await.unwrap();
    let mut answer = [0; 512];
    assert!(first.read(&mut answer).await.unwrap() > 0);
    let mut second = TcpStream::connect(app.addr).await.unwrap();
    second.write_all(request).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(100), second.read(&mut answer)).await;
    assert!(
        waits.is_err(),
        "the second connection is served beside the first"
    );
    drop(first);
    assert!(second.read(&mut answer).await.unwrap() > 0);
}

#[tokio::test]
async fn a_drain_lets_a_running_request_end_and_takes_no_new_one() {
    let app = App::start(limits()).await;
    let running = app.waiting().await;
    let mut idle = TcpStream::connect(app.addr).await.unwrap();
    app.stop.cancel();
    // An idle connection is closed at once; by then the listener is gone too.
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(app.addr).await.is_err());
    assert!(!app.serving.is_finished());
    app.go.notify_one();
    assert_eq!(
        running.await.unwrap().unwrap().text().await.unwrap(),
        "done"
    );
    app.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drain_ends_in_time() {
    let app = App::start(HttpLimits {
        drain_timeout: Duration::from_millis(50),
        ..limits()
    })
    .await;
    let running = app.waiting().await;
    app.stop.cancel();
    app.serving.await.unwrap().unwrap();
    assert!(running.await.unwrap().is_err());
}

#[tokio::test]
async fn the_callers_trace_goes_on_under_a_new_span() {
    let app = App::start(limits()).await;
    let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let seen = app
        .get("/trace")
        .header("traceparent", sent)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(seen[..36], sent[..36]);
    assert_ne!(seen, sent);
    let minted = app
        .get("/trace")
        .header("traceparent", "nonsense")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(trace::TraceContext::parse(&minted).is_some(), "{minted}");
}
