//! Requests as a test writes them: a path, headers, JSON in; status, JSON, headers out.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// Status, body and headers. An empty body is `null`, one that is not JSON is a string.
pub type Answer = (StatusCode, Value, HeaderMap);

/// Header names and values.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// A client of one server. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Http {
    base: String,
    client: Client,
}

impl Http {
    /// A client whose paths stand under `base`, such as `http://127.0.0.1:8080`; a request may take 30 s.
    ///
    /// # Panics
    /// Never: the client has no setting that could be refused.
    pub fn new(base: impl Into<String>) -> Self {
        // A proxy of the environment must not come between a test and its own machine.
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build();
        Self {
            base: base.into(),
            client: client.expect("a plain client can be built"),
        }
    }

    /// The URL of `path`, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// `GET`.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn get(&self, path: &str, headers: Headers<'_>) -> Answer {
        self.expect_answer(Method::GET, path, headers, None).await
    }

    /// `POST` of a JSON body.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post(&self, path: &str, headers: Headers<'_>, body: &Value) -> Answer {
        self.expect_answer(Method::POST, path, headers, Some(body))
            .await
    }

    /// `POST` without a body.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post_empty(&self, path: &str, headers: Headers<'_>) -> Answer {
        self.expect_answer(Method::POST, path, headers, None).await
    }

    /// `PATCH` with a JSON body.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn patch(&self, path: &str, headers: Headers<'_>, body: &Value) -> Answer {
        self.expect_answer(Method::PATCH, path, headers, Some(body))
            .await
    }

    /// Any request; for tests that kill the server under it.
    ///
    /// # Errors
    /// When no answer comes: refused, reset, or not within 30 s.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: Headers<'_>,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        Ok((status, json_or_text(text), headers))
    }

    async fn expect_answer(
        &self,
        method: Method,
        path: &str,
        headers: Headers<'_>,
        body: Option<&Value>,
    ) -> Answer {
        let shown = format!("{method} {}", self.url(path));
        let answer = self.send(method, path, headers, body).await;
        answer.unwrap_or_else(|error| panic!("{shown}: {error:?}"))
    }
}

fn json_or_text(text: String) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
