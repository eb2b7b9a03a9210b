//! When to stop.

use tokio::signal::unix::{Signal, SignalKind, signal as unix_signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled on the first SIGTERM or SIGINT. The second one ends the process at once
/// with exit code 130, for whoever cannot wait for the drain.
///
/// Must be called inside a tokio runtime.
pub fn signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    match (
        unix_signal(SignalKind::terminate()),
        unix_signal(SignalKind::interrupt()),
    ) {
        (Ok(mut term), Ok(mut int)) => {
            tokio::spawn(async move {
                let signal = first(&mut term, &mut int).await;
                tracing::info!(signal, "stopping");
                cancelled.cancel();
                let signal = first(&mut term, &mut int).await;
                tracing::warn!(signal, "stopped without a drain");
                std::process::exit(130);
            });
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be heard: only a kill will stop this process");
        }
    }
    stop
}

async fn first(term: &mut Signal, int: &mut Signal) -> &'static str {
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    }
}
