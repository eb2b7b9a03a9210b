//! Accepting, whatever happens.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// Pause after a failed accept: out of descriptors, for example, which passes as connections close.
const PAUSE: Duration = Duration::from_millis(50);

/// The next connection; failed accepts are logged and tried again.
pub(super) async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and written at once: waiting for more would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
