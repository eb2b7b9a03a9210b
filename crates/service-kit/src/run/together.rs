//! Servers side by side.

use std::io;

use tokio_util::sync::CancellationToken;

/// Serves with both until `stop`; one that fails stops the other too.
///
/// # Errors
/// That of the server which failed.
pub async fn together(
    first: impl Future<Output = io::Result<()>>,
    second: impl Future<Output = io::Result<()>>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let (first, second) = tokio::join!(or_stop(first, stop), or_stop(second, stop));
    first.and(second)
}

async fn or_stop(
    server: impl Future<Output = io::Result<()>>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let served = server.await;
    if let Err(error) = &served {
        tracing::error!(%error, "a server failed");
        stop.cancel();
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_fails_stops_the_other() {
        let stop = CancellationToken::new();
        let fails = async { Err(io::Error::other("on purpose")) };
        let serves = async {
            stop.cancelled().await;
            Ok(())
        };
        let error = together(serves, fails, &stop).await.unwrap_err();
        assert_eq!(error.to_string(), "on purpose");
    }
}
