//! Waiting for the database to come up.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep, timeout_at};

use super::{schema, tls};
use crate::{SqlError, is_retryable};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// See [`crate::wait_until_reachable`].
pub(crate) async fn wait_until_reachable(url: &str, patience: Duration) -> Result<(), SqlError> {
    let options = schema::read_url(url)?;
    tls::check_root_cert(url)?;
    let place = place(&options);
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        let source = match timeout_at(deadline, knock(&options)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if !is_retryable(&error) || tls::is_refused(&error) => {
                return Err(error.into());
            }
            Ok(Err(error)) => error,
            Err(elapsed) => sqlx::Error::Io(elapsed.into()),
        };
        if Instant::now() + pause >= deadline {
            return Err(SqlError::Unreachable {
                place,
                patience,
                source,
            });
        }
        tracing::warn!(place, error = %source, ?pause, "the database does not answer yet");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn knock(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    options.connect().await?.close().await
}

fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_default();
    format!("{}:{}/{database}", options.get_host(), options.get_port())
}
