//! Requests that cannot be decoded. tonic says `INTERNAL`, as if the fault were ours.

use std::task::{Context, Poll};

use futures::{TryFutureExt as _, future::MapOk};
use http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::{Layer, Service};

use super::ERROR_DOMAIN;

/// How tonic's words about such a request begin: not a message, cut short, or none at all. It reports
/// them in the answer's head, before any service of ours has seen the request.
const WORDS: [&str; 3] = [
    "failed to decode Protobuf message",
    "Unexpected EOF decoding stream",
    "Missing request message",
];

/// Answers `INVALID_ARGUMENT` for a request that cannot be decoded.
#[derive(Debug, Clone, Copy)]
pub struct UndecodedLayer;

impl<S> Layer<S> for UndecodedLayer {
    type Service = UndecodedService<S>;
    fn layer(&self, inner: S) -> UndecodedService<S> {
        UndecodedService { inner }
    }
}

/// See [`UndecodedLayer`].
#[derive(Debug, Clone)]
pub struct UndecodedService<S> {
    inner: S,
}

impl<S, A, B> Service<Request<A>> for UndecodedService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Default,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response<B>) -> Response<B>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        self.inner.call(request).map_ok(corrected)
    }
}

fn corrected<B: Default>(answer: Response<B>) -> Response<B> {
    match undecoded(answer.headers()) {
        Some(status) => status.into_http(),
        None => answer,
    }
}

fn undecoded(headers: &HeaderMap) -> Option<Status> {
    const INTERNAL: &[u8] = b"13";
    if headers.get("grpc-status")?.as_bytes() != INTERNAL {
        return None;
    }
    let status = Status::from_header_map(headers)?;
    let words = WORDS
        .iter()
        .find(|words| status.message().starts_with(**words))?;
    let rest = status.message().strip_prefix(*words).unwrap_or_default();
    let message = format!("the request is not the message that it should be{rest}");
    let details = ErrorDetails::with_error_info("INVALID", ERROR_DOMAIN, []);
    Some(Status::with_error_details(
        Code::InvalidArgument,
        message,
        details,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: Status) -> Code {
        let answer: Response<()> = corrected(status.into_http());
        Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code())
    }

    #[test]
    fn only_what_could_not_be_decoded_is_the_callers_fault() {
        for words in WORDS {
            assert_eq!(
                code(Status::internal(format!("{words}: x"))),
                Code::InvalidArgument
            );
            assert_eq!(code(Status::unavailable(words)), Code::Unavailable);
        }
        assert_eq!(code(Status::internal("a fault of ours")), Code::Internal);
    }
}
