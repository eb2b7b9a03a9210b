//! Order between what answers and what it needs to answer.

use std::{io, pin::pin};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Runs `upper` upon `lower`, which begins with a token of its own: it is cancelled when `upper` has
/// ended, so that whatever `upper` has begun finds it there. `stop` must be what ends `upper`: it is
/// cancelled when `lower` ends before, since nothing can be answered without it.
///
/// Answers how both ended. For a `lower` that panicked, or ended by itself and well, that is an error.
pub async fn upon<U, L, E>(
    upper: impl Future<Output = U>,
    stop: &CancellationToken,
    what: &'static str,
    lower: impl FnOnce(CancellationToken) -> L,
) -> (U, Result<(), E>)
where
    L: Future<Output = Result<(), E>> + Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    let stop_lower = CancellationToken::new();
    let mut running = tokio::spawn(lower(stop_lower.clone()));
    let mut upper = pin!(upper);
    tokio::select! {
        ended = &mut upper => {
            stop_lower.cancel();
            (ended, joined(running, what).await)
        }
        broken = &mut running => {
            tracing::error!(what, "ended before it was told to");
            stop.cancel();
            let broken = broken.map_err(|panic| panicked(what, panic).into());
            let early = || io::Error::other(format!("{what} ended before it was told to"));
            (upper.await, broken.and_then(|ended| ended.and(Err(early().into()))))
        }
    }
}

async fn joined<E: From<io::Error>>(
    running: JoinHandle<Result<(), E>>,
    what: &'static str,
) -> Result<(), E> {
    running.await.map_err(|panic| panicked(what, panic))?
}

fn panicked(what: &'static str, error: tokio::task::JoinError) -> io::Error {
    io::Error::other(format!("{what} broke off: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn the_lower_part_is_there_until_the_upper_has_ended() {
        let (stop, is_ended) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&is_ended);
        let upper = async {
            stop.cancelled().await;
            tokio::task::yield_now().await;
            assert!(!is_ended.load(Ordering::SeqCst));
        };
        let lower = async move |told: CancellationToken| {
            told.cancelled().await;
            seen.store(true, Ordering::SeqCst);
            Ok::<_, io::Error>(())
        };
        stop.cancel();
        let ((), ended) = upon(upper, &stop, "workers", lower).await;
        ended.unwrap();
        assert!(is_ended.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_lower_part_that_ends_by_itself_stops_the_upper_and_is_an_error() {
        for panics in [false, true] {
            let stop = CancellationToken::new();
            let lower = async move |_| {
                assert!(!panics, "on purpose");
                Ok::<_, io::Error>(())
            };
            let ((), ended) = upon(stop.cancelled(), &stop, "workers", lower).await;
            let error = ended.unwrap_err().to_string();
            assert!(error.starts_with("workers"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_error_of_the_lower_part_is_handed_on() {
        let stop = CancellationToken::new();
        let lower = async |_| Err(io::Error::other("on purpose"));
        let ((), ended) = upon(stop.cancelled(), &stop, "workers", lower).await;
        assert_eq!(ended.unwrap_err().to_string(), "on purpose");
    }
}
