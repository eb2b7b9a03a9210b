//! The multiplexed connection of the hot path: one socket for all admissions of the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};

/// Holds the connection while there is a good one; the probe makes new ones.
pub(super) struct Hot {
    client: Client,
    config: AsyncConnectionConfig,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Hot {
    pub(super) fn new(client: Client, config: AsyncConnectionConfig) -> Self {
        Self {
            client,
            config,
            connection: Mutex::new(None),
        }
    }

    pub(super) fn current(&self) -> Option<MultiplexedConnection> {
        self.lock().clone()
    }

    /// The connection, or a new one, which is kept only by [`Hot::keep`].
    pub(super) async fn current_or_new(&self) -> Result<MultiplexedConnection, RedisError> {
        match self.current() {
            Some(connection) => Ok(connection),
            None => {
                self.client
                    .get_multiplexed_async_connection_with_config(&self.config)
                    .await
            }
        }
    }

    pub(super) fn keep(&self, connection: MultiplexedConnection) {
        *self.lock() = Some(connection);
    }

    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
