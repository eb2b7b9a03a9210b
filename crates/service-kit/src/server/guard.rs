//! What every HTTP request passes: the cap on requests in flight, the body's announced length, the
//! time limit, the net under a panic, and the metrics.

use std::{any::Any, borrow::Cow, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http::{HeaderMap, Method, StatusCode, header};
use tokio::{sync::Semaphore, time::Instant};

use super::HttpLimits;
use crate::{extract, metrics as names, problem::Problem};

/// What the requests of one server share.
#[derive(Debug)]
pub(super) struct Guard {
    in_flight: Semaphore,
    body_len_max: usize,
    request_timeout: Duration,
}

impl Guard {
    pub(super) fn new(limits: &HttpLimits) -> Arc<Self> {
        Arc::new(Self {
            in_flight: Semaphore::new(limits.in_flight_max),
            body_len_max: limits.body_len_max,
            request_timeout: limits.request_timeout,
        })
    }
}

/// The middleware.
pub(super) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = answer(&guard, request, next).await;
    let response = explain_misses(response, route.is_none());
    record(method, route.as_ref(), response.status(), started.elapsed());
    response
}

async fn answer(guard: &Guard, request: Request, next: Next) -> Response {
    let Ok(_slot) = guard.in_flight.try_acquire() else {
        return overloaded().into_response();
    };
    if announced_len(request.headers()) > guard.body_len_max {
        return extract::too_large().into_response();
    }
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(guard.request_timeout, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            Problem::new(500, "INTERNAL", "something went wrong on our side").into_response()
        }
        Err(_) => Problem::new(503, "UNAVAILABLE", "the request took too long")
            .retry_after(Duration::from_secs(1))
            .into_response(),
    }
}

fn overloaded() -> Problem {
    Problem::new(503, "OVERLOADED", "too many requests are in flight")
        .retry_after(Duration::from_secs(1))
}

fn announced_len(headers: &HeaderMap) -> usize {
    let header = headers.get(header::CONTENT_LENGTH);
    header
        .and_then(|value| value.to_str().ok())
        .map_or(0, |text| text.parse().unwrap_or(usize::MAX))
}

/// The router answers an unknown path and a wrong method with a bare status; the words come here.
fn explain_misses(response: Response, unrouted: bool) -> Response {
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    let problem = match response.status() {
        StatusCode::NOT_FOUND if unrouted && bare => {
            Problem::new(404, "NOT_FOUND", "there is nothing under this path")
        }
        StatusCode::METHOD_NOT_ALLOWED if bare => {
            Problem::invalid(405, "this path does not answer this method")
        }
        _ => return response,
    };
    let mut explained = problem.into_response();
    let own = explained.headers().clone();
    *explained.headers_mut() = response.headers().clone();
    explained.headers_mut().extend(own);
    explained
}

fn record(method: &'static str, route: Option<&MatchedPath>, status: StatusCode, took: Duration) {
    // The route, not the path: a label for every id ever asked for would fill the memory.
    let path: Cow<'static, str> = match route {
        Some(route) => route.as_str().to_owned().into(),
        None => "none".into(),
    };
    metrics::histogram!(names::HTTP_REQUEST_DURATION_SECONDS, "path" => path.clone())
        .record(took.as_secs_f64());
    metrics::counter!(
        names::HTTP_REQUESTS_TOTAL,
        "method" => method, "path" => path, "status" => status.as_str().to_owned()
    )
    .increment(1);
}

/// Callers can make up methods; labels must stay few.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}
