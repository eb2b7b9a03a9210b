//! What every HTTP request passes: the cap on requests in flight, the body's announced length, the
//! time limit, the net under a panic, and the metrics.

use std::{
    any::Any,
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse as _, Response},
};
use futures::{
    FutureExt as _,
    future::{CatchUnwind, Either, Ready, ready},
};
use http::{HeaderMap, Method, StatusCode, header};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Timeout},
};
use tower::{Layer, Service};

use super::HttpLimits;
use crate::{
    extract,
    metrics::HttpMetrics,
    problem::{Problem, Written},
};

/// Guards every request of one server.
#[derive(Debug, Clone)]
pub(super) struct GuardLayer(Arc<Limits>);

/// What the requests of one server share.
#[derive(Debug)]
struct Limits {
    in_flight: Arc<Semaphore>,
    body_len_max: usize,
    request_timeout: Duration,
    overloaded: Written,
    metrics: HttpMetrics,
}

impl GuardLayer {
    pub(super) fn new(limits: &HttpLimits) -> Self {
        Self(Arc::new(Limits {
            in_flight: Arc::new(Semaphore::new(limits.in_flight_max)),
            body_len_max: limits.body_len_max,
            request_timeout: limits.request_timeout,
            overloaded: overloaded().into(),
            metrics: HttpMetrics::default(),
        }))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;
    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            limits: Arc::clone(&self.0),
        }
    }
}

/// See [`GuardLayer`].
#[derive(Debug, Clone)]
pub(super) struct Guard<S> {
    inner: S,
    limits: Arc<Limits>,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, Guarded<S::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let asked = Asked {
            at: Instant::now(),
            method: method_label(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            limits: Arc::clone(&self.limits),
        };
        let Ok(slot) = Arc::clone(&self.limits.in_flight).try_acquire_owned() else {
            return asked.refused(self.limits.overloaded.clone());
        };
        if announced_len(request.headers()) > self.limits.body_len_max {
            return asked.refused(extract::too_large().into());
        }
        let work = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        Either::Right(Guarded {
            work: tokio::time::timeout(self.limits.request_timeout, work),
            asked,
            slot: Some(slot),
        })
    }
}

/// What is known of a request that is answered.
struct Asked {
    at: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    limits: Arc<Limits>,
}

impl Asked {
    fn refused<F>(&self, problem: Written) -> Either<Ready<Result<Response, Infallible>>, F> {
        Either::Left(ready(Ok(self.answered(problem.into_response()))))
    }

    fn answered(&self, response: Response) -> Response {
        let response = explain_misses(response, self.route.is_none());
        let route = self.route.as_ref().map(MatchedPath::as_str);
        let (status, took) = (response.status(), self.at.elapsed());
        self.limits
            .metrics
            .answered(self.method, route, status, took);
        response
    }
}

pin_project_lite::pin_project! {
    /// A request that is being worked on.
    pub(super) struct Guarded<F> {
        #[pin]
        work: Timeout<CatchUnwind<AssertUnwindSafe<F>>>,
        asked: Asked,
        slot: Option<OwnedSemaphorePermit>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.work.poll(cx)) {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(panic)) => {
                tracing::error!(panic = panic_text(&*panic), "a handler panicked");
                Problem::new(500, "INTERNAL", "something went wrong on our side").into_response()
            }
            Err(_) => Problem::new(503, "UNAVAILABLE", "the request took too long")
                .retry_after(Duration::from_secs(1))
                .into_response(),
        };
        // Free before the answer is on its way, which may take the client's time.
        *this.slot = None;
        Poll::Ready(Ok(this.asked.answered(response)))
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
