//! Errors on the wire: RFC 9457 `application/problem+json` with two more members, `error` and
//! `message`.

use std::time::Duration;

use axum::{
    body::Body as HttpBody,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The content type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An answer that refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// The fixed code that programs look at, such as `INVALID`.
    pub error: &'static str,
    /// For people.
    pub message: String,
    /// What is wrong with which field of the request.
    pub fields: Vec<FieldError>,
    /// When the same request may succeed; rounded up to whole seconds, at least one.
    pub retry_after: Option<Duration>,
}

/// One field of the request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field as the caller wrote it, such as `items[0].quantity`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl FieldError {
    /// `field` is wrong, as `message` says.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl Problem {
    /// A problem without fields. A `status` that is no HTTP status is answered as 500.
    pub fn new(status: u16, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error,
            message: message.into(),
            fields: Vec::new(),
            retry_after: None,
        }
    }

    /// Names a field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldError::new(field, message));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// 400, 413, 415 or 422 `INVALID`.
    pub(crate) fn invalid(status: u16, message: impl Into<String>) -> Self {
        Self::new(status, "INVALID", message)
    }

    /// 422 `INVALID` because of one field.
    pub(crate) fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self::invalid(422, format!("{field}: {message}")).field(field, message)
    }
}

/// Why a request was refused or failed (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// Always `about:blank`: `error` says what it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The same as `message`.
    detail: &'a str,
    /// The fixed code that programs look at.
    error: &'static str,
    /// For people.
    message: &'a str,
    /// What is wrong with which field of the request.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// A problem as it is sent: written once, it can be answered often; cheap to clone.
#[derive(Debug, Clone)]
pub struct Written {
    status: StatusCode,
    body: Bytes,
    retry_after: Option<HeaderValue>,
}

impl From<Problem> for Written {
    fn from(problem: Problem) -> Self {
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Body {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: &problem.message,
            error: problem.error,
            message: &problem.message,
            errors: &problem.fields,
        };
        // Strings and numbers always serialize; an empty body would still carry the status.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Self {
            status,
            body: body.into(),
            retry_after: problem
                .retry_after
                .map(|after| HeaderValue::from(whole_seconds(after))),
        }
    }
}

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        let mut response = Response::new(HttpBody::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static(CONTENT_TYPE);
        headers.insert(header::CONTENT_TYPE, content_type);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Written::from(self).into_response()
    }
}

fn whole_seconds(after: Duration) -> u64 {
    let up = u64::from(after.subsec_nanos() > 0);
    after.as_secs().saturating_add(up).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_carries_its_code_its_fields_and_the_time_to_wait() {
        let problem = Problem::new(503, "OVERLOADED", "full")
            .field("items[0].quantity", "too many")
            .retry_after(Duration::from_millis(1_001));
        let response = problem.into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
        let body = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank", "title": "Service Unavailable", "status": 503,
                "detail": "full", "error": "OVERLOADED", "message": "full",
                "errors": [{"field": "items[0].quantity", "message": "too many"}],
            })
        );
    }

    #[test]
    fn the_time_to_wait_is_never_zero_seconds() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_secs(3)), 3);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_number_that_is_no_status_is_answered_as_our_fault() {
        assert_eq!(
            Problem::new(7, "INTERNAL", "").into_response().status(),
            500
        );
    }
}
