//! The W3C `traceparent` of a request: read or minted, kept beside the task, handed on, and shown with each
//! line that is logged meanwhile.
//!
//! A tracing span would be entered and left whenever a task is polled, and its fields written down for every
//! request though hardly any logs a line; so what a line says about its request is looked up when it is logged.

use std::{
    fmt::{self, Write as _},
    str,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use futures::future::Either;
use http::{HeaderValue, Method};
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

/// Name of the header, and of the gRPC metadata key.
pub const HEADER: &str = "traceparent";

tokio::task_local! {
    static CURRENT: Current;
}

/// The request that a task serves.
#[derive(Debug, Clone)]
pub struct Current {
    pub(crate) context: TraceContext,
    pub(crate) method: Method,
    // Not the URI: it is a part of the connection's buffer, which could not be used again meanwhile.
    pub(crate) path: Arc<str>,
}

/// Where in which trace we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Not zero.
    pub trace_id: u128,
    /// Not zero.
    pub span_id: u64,
    /// Bit 0: sampled. Handed on as it came.
    pub flags: u8,
}

/// The context of the request this task serves.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|current| current.context).ok()
}

/// Shows the request this task serves to `look`, if it serves one.
pub(crate) fn with_current<T>(look: impl FnOnce(&Current) -> T) -> Option<T> {
    CURRENT.try_with(look).ok()
}

/// `work` of the request this task serves, which it hands to another task.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    match CURRENT.try_with(Clone::clone) {
        Ok(current) => Either::Left(CURRENT.scope(current, work)),
        Err(_) => Either::Right(work),
    }
}

impl TraceContext {
    /// Reads a header. Versions later than 00 may carry more behind the flags.
    pub fn parse(header: &str) -> Option<Self> {
        let bytes = header.as_bytes();
        let version = hex(bytes.get(0..2)?)?;
        let dashes = [2, 35, 52].iter().all(|&at| bytes.get(at) == Some(&b'-'));
        let end = match (version, bytes.get(55)) {
            (0xff, _) => false,
            (0, rest) => rest.is_none(),
            (_, rest) => matches!(rest, None | Some(b'-')),
        };
        let context = Self {
            trace_id: hex(bytes.get(3..35)?)?,
            span_id: u64::try_from(hex(bytes.get(36..52)?)?).ok()?,
            flags: u8::try_from(hex(bytes.get(53..55)?)?).ok()?,
        };
        (dashes && end && context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    /// The start of a new trace.
    pub fn mint() -> Self {
        Self {
            trace_id: u128::from(random()) << 64 | u128::from(random()),
            span_id: random(),
            flags: 0,
        }
    }

    /// A new span of the same trace, for a call that this request makes.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: random(),
            ..*self
        }
    }

    /// As the header carries it, in version 00.
    pub fn header(&self) -> String {
        let mut text = String::with_capacity(55);
        // Writing into a String cannot fail.
        let _ = write!(text, "00-{self}-{:016x}-{:02x}", self.span_id, self.flags);
        text
    }
}

/// The trace id in hexadecimal, as logs show it.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.trace_id)
    }
}

/// Up to 32 lower-case hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u128> {
    if !digits
        .iter()
        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    u128::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// Not zero. Trace ids need to differ, not to be secret, and every request of a sale asks for some: the system
/// is asked for randomness once, and each number is the mixed-up next one of a sequence that begins there
/// (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). A machine without
/// randomness still serves.
fn random() -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(getrandom::u64().unwrap_or(GOLDEN)));
    let next = NEXT.fetch_add(GOLDEN, Ordering::Relaxed);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).max(1)
}

/// Gives every request its [`TraceContext`].
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceLayer;

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;
    fn layer(&self, inner: S) -> TraceService<S> {
        TraceService { inner }
    }
}

/// See [`TraceLayer`].
#[derive(Debug, Clone)]
pub struct TraceService<S> {
    inner: S,
}

impl<S, B> Service<http::Request<B>> for TraceService<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<Current, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let header = request.headers().get(HEADER).map(HeaderValue::to_str);
        let context = match header {
            Some(Ok(text)) => TraceContext::parse(text).map(|caller| caller.child()),
            _ => None,
        }
        .unwrap_or_else(TraceContext::mint);
        let current = Current {
            context,
            method: request.method().clone(),
            path: request.uri().path().into(),
        };
        // The inner call may do work before its future is polled; it belongs to the request too.
        let future = CURRENT.sync_scope(current.clone(), || self.inner.call(request));
        CURRENT.scope(current, future)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_written_as_it_was_read() {
        let context = TraceContext::parse(EXAMPLE).unwrap();
        assert_eq!(context.header(), EXAMPLE);
        assert_eq!(context.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn a_child_stays_in_the_trace_under_its_own_span() {
        let parent = TraceContext::parse(EXAMPLE).unwrap();
        let child = parent.child();
        assert_eq!(
            (child.trace_id, child.flags),
            (parent.trace_id, parent.flags)
        );
        assert_ne!(child.span_id, parent.span_id);
    }

    #[test]
    fn what_the_standard_forbids_is_no_context() {
        for header in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header:?}");
        }
    }

    #[test]
    fn a_later_version_may_carry_more() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(TraceContext::parse(later), TraceContext::parse(EXAMPLE));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = TraceContext::parse(&text);
        }

        #[test]
        fn no_damaged_header_makes_the_parser_panic(at in 0usize..55, with in any::<char>()) {
            let mut text: Vec<char> = EXAMPLE.chars().collect();
            text[at] = with;
            let _ = TraceContext::parse(&text.into_iter().collect::<String>());
        }

        #[test]
        fn every_context_is_read_back(trace_id in 1u128.., span_id in 1u64.., flags: u8) {
            let context = TraceContext { trace_id, span_id, flags };
            prop_assert_eq!(TraceContext::parse(&context.header()), Some(context));
        }
    }

    #[tokio::test]
    async fn the_layer_keeps_the_callers_trace_and_mints_a_missing_one() {
        let echo = tower::service_fn(async |_: http::Request<()>| Ok::<_, ()>(current()));
        let mut service = TraceLayer.layer(echo);
        let with = http::Request::builder()
            .header(HEADER, EXAMPLE)
            .body(())
            .unwrap();
        let seen = service.call(with).await.unwrap().unwrap();
        assert_eq!(
            seen.trace_id,
            TraceContext::parse(EXAMPLE).unwrap().trace_id
        );
        let minted = service.call(http::Request::new(())).await.unwrap().unwrap();
        assert_ne!(minted.trace_id, seen.trace_id);
        assert_eq!(current(), None);
    }
}
