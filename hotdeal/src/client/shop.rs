//! Calls with JSON in and out.

use std::io;

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use service_kit::config::Secret;
use tower::ServiceExt as _;

use super::{Base, Connection};

/// How requests reach a shop.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// Over the network, each over a connection of its own.
    Network,
    /// It is in this process.
    Memory(Router),
}

/// A shop, and who calls it.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    /// Where it is.
    pub(crate) base: Base,
    /// How it is reached.
    pub(crate) way: Way,
    /// For the operator's calls.
    pub(crate) admin_token: Option<Secret>,
    /// For a buyer's calls.
    pub(crate) user_id: Option<String>,
}

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The shop said no, or that it cannot now.
    #[error("{}", words(*.status, .problem))]
    Answered {
        /// 400 to 599.
        status: StatusCode,
        /// The answer's body.
        problem: Value,
    },
    /// No answer.
    #[error("no answer from {base}: {source}; is it running? (HOTDEAL_URL, or --url, says where)")]
    Unreachable {
        /// Where it should be.
        base: Base,
        /// What went wrong.
        source: io::Error,
    },
    /// An answer that is not this shop's.
    #[error("{base} does not answer like a hotdeal shop ({status}): does HOTDEAL_URL name one?")]
    Foreign {
        /// Where it should be.
        base: Base,
        /// The answer's status.
        status: StatusCode,
    },
}

impl Shop {
    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CallError> {
        self.call(Method::GET, path, None).await
    }

    /// `POST`; nothing is sent for `Value::Null`.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value, CallError> {
        let body = (!body.is_null()).then_some(body);
        self.call(Method::POST, path, body).await
    }

    /// Any request. Answers the body's JSON; an empty body is `null`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, CallError> {
        self.call_with(method, path, body, &[]).await
    }

    /// The same with more headers.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&'static str, &str)],
    ) -> Result<Value, CallError> {
        let exchange = async {
            let request = self.request(method, path, body, headers);
            self.exchange(request.map_err(io::Error::other)?).await
        };
        let (status, body) = exchange.await.map_err(|source| CallError::Unreachable {
            base: self.base.clone(),
            source,
        })?;
        let foreign = || CallError::Foreign {
            base: self.base.clone(),
            status,
        };
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).map_err(|_| foreign())?,
        };
        if status.is_success() {
            return Ok(body);
        }
        match body["error"].is_string() {
            true => Err(CallError::Answered {
                status,
                problem: body,
            }),
            false => Err(foreign()),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> io::Result<(StatusCode, Bytes)> {
        let router = match &self.way {
            Way::Network => return Connection::open(&self.base).await?.send(request).await,
            Way::Memory(router) => router.clone(),
        };
        let Ok(response) = router.oneshot(request.map(Body::new)).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?;
        Ok((parts.status, body.to_bytes()))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&'static str, &str)],
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.base.target(path)?)
            .header(header::HOST, self.base.authority());
        if let Some(token) = &self.admin_token {
            let bearer = format!("Bearer {}", token.expose());
            request = request.header(header::AUTHORIZATION, bearer);
        }
        if let Some(user_id) = &self.user_id {
            request = request.header("x-user-id", user_id);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            None => Bytes::new(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
        };
        request.body(Full::new(body))
    }
}

/// A path with its query; parameters without a value are left out, values are escaped.
pub(crate) fn path_of(path: &str, query: &[(&str, Option<String>)]) -> String {
    let mut text = path.to_owned();
    let set = query
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    for (index, (name, value)) in set.enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                    text.push(char::from(byte));
                }
                byte => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    text
}

/// The problem in words: the message, its code, and a line for each field that is wrong.
fn words(status: StatusCode, problem: &Value) -> String {
    let text = |name: &str| problem[name].as_str().unwrap_or_default();
    let mut words = format!(
        "{} ({}, HTTP {})",
        text("message"),
        text("error"),
        status.as_u16()
    );
    for field in problem["errors"].as_array().into_iter().flatten() {
        let part = |name: &str| field[name].as_str().unwrap_or_default();
        words.push_str(&format!("\n  {}: {}", part("field"), part("message")));
    }
    if status == StatusCode::UNAUTHORIZED {
        words.push_str("\n  (ADMIN_TOKEN, or --admin-token, is what operators show)");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_is_set_and_nothing_that_could_break_it() {
        let query = [
            ("page", None),
            ("category", Some("a&b 김".to_owned())),
            ("size", Some("5".to_owned())),
        ];
        assert_eq!(
            path_of("/products", &query),
            "/products?category=a%26b%20%EA%B9%80&size=5"
        );
        assert_eq!(path_of("/products", &query[..1]), "/products");
    }

    #[test]
    fn a_problem_is_said_with_its_code_and_fields() {
        let problem = serde_json::json!({
            "error": "INVALID", "message": "the request is not valid",
            "errors": [{"field": "price", "message": "must be set"}],
        });
        assert_eq!(
            words(StatusCode::UNPROCESSABLE_ENTITY, &problem),
            "the request is not valid (INVALID, HTTP 422)\n  price: must be set"
        );
    }
}
