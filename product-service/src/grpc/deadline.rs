//! How long the caller waits.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tonic::{Response, Status, metadata::MetadataMap};

use super::errors;

/// The transport cuts a call off at the caller's own deadline, and says `CANCELLED`; so that the caller
/// hears `DEADLINE_EXCEEDED` instead, a call is given up a little earlier.
const HEAD_START: Duration = Duration::from_millis(2);

/// Answers the call, or `DEADLINE_EXCEEDED` when its `grpc-timeout`, or else `at_most`, passes first.
/// `call` is told the deadline, so that it begins nothing that nobody waits for.
pub(super) async fn within<T, F>(
    metadata: &MetadataMap,
    at_most: Duration,
    call: impl FnOnce(Option<Instant>) -> F,
) -> Result<Response<T>, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let timeout = timeout(metadata).map_or(at_most, |timeout| timeout.min(at_most));
    let timeout = timeout.saturating_sub(HEAD_START.min(timeout / 10));
    let answer = match Instant::now().checked_add(timeout) {
        None => call(None).await,
        Some(deadline) => timeout_at(deadline, call(Some(deadline)))
            .await
            .unwrap_or_else(|_| Err(errors::deadline_exceeded())),
    };
    answer.map(Response::new)
}

/// The `grpc-timeout` header: up to eight digits and a unit. A malformed one counts as none, as with the
/// transport.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    const DIGITS_MAX: usize = 8;
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Duration> {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", text.parse().unwrap());
        timeout(&metadata)
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("7u"), Some(Duration::from_micros(7)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn what_is_malformed_counts_as_no_deadline() {
        for text in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1 S"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(timeout(&MetadataMap::new()), None);
    }

    async fn elapsed_until_answered(metadata: &MetadataMap, at_most: Duration) -> Duration {
        let started = Instant::now();
        let answer: Result<Response<()>, Status> =
            within(metadata, at_most, |_| std::future::pending()).await;
        assert_eq!(answer.unwrap_err().code(), tonic::Code::DeadlineExceeded);
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_ends_is_answered_before_its_deadline() {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", "100m".parse().unwrap());
        let elapsed = elapsed_until_answered(&metadata, Duration::from_secs(10)).await;
        assert!(elapsed < Duration::from_millis(100), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_would_wait_for_ever_waits_as_long_as_the_service_allows() {
        let limit = Duration::from_secs(10);
        assert!(elapsed_until_answered(&MetadataMap::new(), limit).await < limit);
        let mut patient = MetadataMap::new();
        patient.insert("grpc-timeout", "1H".parse().unwrap());
        assert!(elapsed_until_answered(&patient, limit).await < limit);
    }
}
