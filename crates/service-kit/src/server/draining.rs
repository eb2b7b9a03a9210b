//! The news of a stop for answers that last: a stream of events has no end of its own, and the server
//! waits for it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio_util::sync::CancellationToken;

/// Tells a handler when its server begins to drain. Taken as an argument, it is the server's own; in a
/// router that runs without one, it never begins.
#[derive(Debug, Clone, Default)]
pub struct Draining(CancellationToken);

impl Draining {
    pub(super) fn at(stop: CancellationToken) -> Self {
        Self(stop)
    }

    /// Waits until the server is told to stop: whatever answer lasts should end now.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
}

impl<S: Sync> FromRequestParts<S> for Draining {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
