//! Pages of other origins, as browsers ask and call for them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use axum::{
    Router,
    routing::{get, post},
};
use reqwest::{Client, Method, RequestBuilder, Response, header};
use service_kit::{
    auth::{Access, bearer_layer},
    config::Common,
    problem::Problem,
    server::{Front, HttpLimits, serve_http},
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

const SHOP: &str = "https://shop.example";
const ALLOWED: &str = "access-control-allow-origin";

struct App {
    url: String,
    client: Client,
    _running: DropGuard,
}

impl App {
    async fn start(origins: &[&str], limits: HttpLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let common = Common {
            cors_origins: origins.iter().map(|text| text.parse().unwrap()).collect(),
            ..Common::default()
        };
        let port = Front::new(&common).unwrap().http(listener);
        let stop = CancellationToken::new();
        tokio::spawn(serve_http(port, router(), limits, stop.clone()));
        Self {
            url,
            client: Client::new(),
            _running: stop.drop_guard(),
        }
    }

    fn request(&self, method: Method, path: &str, origin: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.header(header::ORIGIN, origin)
    }

    /// What a browser asks before it lets a page send `method` with `headers`.
    async fn preflight(&self, method: &str, headers: &str, origin: &str) -> Response {
        self.request(Method::OPTIONS, "/orders", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers)
            .send()
            .await
            .unwrap()
    }
}

fn limits() -> HttpLimits {
    HttpLimits::from(&Common::default())
}

fn router() -> Router {
    let token = Access::Token("t0ken".parse().unwrap());
    let full = async || {
        Problem::new(503, "OVERLOADED", "full").retry_after(std::time::Duration::from_secs(1))
    };
    Router::new()
        .route(
            "/open",
            post(async || "changed").route_layer(bearer_layer(Access::Open)),
        )
        .route(
            "/orders",
            post(async || "placed").route_layer(bearer_layer(token)),
        )
        .route("/full", get(full))
}

/// The words of a header that lists some, in lower case.
fn listed(response: &Response, name: &str) -> Vec<String> {
    let value = response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap());
    let words = value.unwrap_or_default().split(',');
    words
        .map(|word| word.trim().to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

#[tokio::test]
async fn without_origins_no_page_is_answered() {
    let app = App::start(&[], limits()).await;
    let asked = app.preflight("POST", "authorization", SHOP).await;
    assert_eq!(asked.status(), 405);
    let called = app
        .request(Method::GET, "/full", SHOP)
        .send()
        .await
        .unwrap();
    for answer in [asked, called] {
        let mut names = answer.headers().keys().map(header::HeaderName::as_str);
        assert!(
            names.all(|name| !name.starts_with("access-control")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_ask_without_a_token_and_call_with_one() {
    let app = App::start(&["https://admin.example", SHOP], limits()).await;
    let headers = "authorization,content-type,x-user-id,idempotency-key,traceparent";
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        let asked = app.preflight(method, headers, SHOP).await;
        assert_eq!(asked.status(), 200);
        assert_eq!(asked.headers()[ALLOWED], SHOP);
        assert!(listed(&asked, "access-control-allow-methods").contains(&method.to_lowercase()));
        let allowed = listed(&asked, "access-control-allow-headers");
        assert!(
            headers
                .split(',')
                .all(|name| allowed.contains(&name.to_owned())),
            "{allowed:?}"
        );
    }
    let call = app.request(Method::POST, "/orders", SHOP);
    let placed = call
        .try_clone()
        .unwrap()
        .bearer_auth("t0ken")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (placed.status().as_u16(), &placed.headers()[ALLOWED]),
        (200, &header::HeaderValue::from_static(SHOP))
    );
    let shown = listed(&placed, "access-control-expose-headers");
    for name in ["location", "retry-after"] {
        assert!(shown.contains(&name.to_owned()), "{shown:?}");
    }
    assert!(listed(&placed, "vary").contains(&"origin".to_owned()));
    let refused = call.send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.headers()[ALLOWED],
        SHOP,
        "the page must be able to read why"
    );
}

#[tokio::test]
async fn a_page_of_another_origin_is_not_named() {
    let app = App::start(&[SHOP], limits()).await;
    for origin in [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil",
        "null",
    ] {
        let asked = app.preflight("POST", "authorization", origin).await;
        assert!(
            !asked.headers().contains_key(ALLOWED),
            "{origin}: {asked:?}"
        );
    }
}

#[tokio::test]
async fn every_page_may_read_but_not_say_who_is_calling() {
    let app = App::start(&["*"], limits()).await;
    let asked = app.preflight("GET", "traceparent", SHOP).await;
    assert_eq!(asked.headers()[ALLOWED], "*");
    assert!(!listed(&asked, "access-control-allow-methods").contains(&"post".to_owned()));
    let allowed = listed(&asked, "access-control-allow-headers");
    for name in ["authorization", "x-user-id", "*"] {
        assert!(!allowed.contains(&name.to_owned()), "{allowed:?}");
    }
    assert!(
        !asked
            .headers()
            .contains_key("access-control-allow-credentials")
    );
}

#[tokio::test]
async fn what_the_server_itself_refuses_can_be_read_too() {
    let full = HttpLimits {
        in_flight_max: 0,
        ..limits()
    };
    let app = App::start(&[SHOP], full).await;
    let refused = app
        .request(Method::GET, "/full", SHOP)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()[ALLOWED], SHOP);
    assert_eq!(app.preflight("POST", "x-user-id", SHOP).await.status(), 200);
}

#[tokio::test]
async fn without_a_token_only_pages_of_this_machine_may_change_something() {
    let app = App::start(&[], limits()).await;
    let url = app.url.clone();
    for (origin, status) in [
        (url.as_str(), 200),
        ("http://localhost:3000", 200),
        (SHOP, 401),
        ("null", 401),
    ] {
        let answer = app
            .request(Method::POST, "/open", origin)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{origin}");
    }
    let program = app.client.post(format!("{url}/open")).send().await.unwrap();
    assert_eq!(program.status(), 200);
}
