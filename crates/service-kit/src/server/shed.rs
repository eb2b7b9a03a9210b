//! Refuses gRPC requests beyond those in flight. tower's own load shed fails the call without a status,
//! which a client sees as a broken stream.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::{Either, Ready, ready};
use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::{Layer, Service};

use super::ERROR_DOMAIN;
use crate::metrics as names;

/// When a refused caller may try again.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// At most so many requests at once, over all connections; the rest gets `UNAVAILABLE`.
#[derive(Debug, Clone)]
pub struct ShedLayer {
    in_flight: Arc<Semaphore>,
}

impl ShedLayer {
    /// Takes `in_flight_max` requests at once.
    pub fn new(in_flight_max: usize) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(in_flight_max)),
        }
    }
}

impl<S> Layer<S> for ShedLayer {
    type Service = ShedService<S>;
    fn layer(&self, inner: S) -> ShedService<S> {
        ShedService {
            inner,
            in_flight: self.in_flight.clone(),
        }
    }
}

/// See [`ShedLayer`].
#[derive(Debug, Clone)]
pub struct ShedService<S> {
    inner: S,
    in_flight: Arc<Semaphore>,
}

impl<S, A, B> Service<Request<A>> for ShedService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Default,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<B>, S::Error>>, InSlot<S::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let Ok(slot) = self.in_flight.clone().try_acquire_owned() else {
            metrics::counter!(names::GRPC_REQUESTS_SHED_TOTAL).increment(1);
            return Either::Left(ready(Ok(overloaded().into_http())));
        };
        let answer = self.inner.call(request);
        Either::Right(InSlot {
            answer,
            _slot: slot,
        })
    }
}

pin_project_lite::pin_project! {
    /// A request that is being worked on, and the slot it takes.
    #[derive(Debug)]
    pub struct InSlot<F> {
        #[pin]
        answer: F,
        _slot: OwnedSemaphorePermit,
    }
}

impl<F: Future> Future for InSlot<F> {
    type Output = F::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().answer.poll(cx)
    }
}

fn overloaded() -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(RETRY_DELAY));
    details.set_error_info("OVERLOADED", ERROR_DOMAIN, []);
    let message = "too many requests are in flight";
    Status::with_error_details(Code::Unavailable, message, details)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_refused_with_a_status_and_a_delay() {
        let forever = tower::service_fn(|_: Request<()>| {
            futures::future::pending::<Result<Response<()>, ()>>()
        });
        let mut service = ShedLayer::new(1).layer(forever);
        let first = service.call(Request::new(()));
        let refused = service.call(Request::new(())).await.unwrap();
        let status = Status::from_header_map(refused.headers()).unwrap();
        assert_eq!(status.code(), Code::Unavailable);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(RETRY_DELAY));
        drop(first);
        assert!(
            service.call(Request::new(())).now_or_never().is_none(),
            "the slot is free again"
        );
    }
}
