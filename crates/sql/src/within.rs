//! A limit of our own on what the database may take. The server's limits are of no use when its answer
//! cannot arrive: its host is gone, or a router between us has forgotten the connection, and no end of
//! the connection is ever sent. The kernel would go on waiting for a quarter of an hour.

use std::{
    io::{Error, ErrorKind},
    time::Duration,
};

use tokio::time::timeout;

/// How much longer than the statement timeout of its pool an operation of one statement should be
/// given: the server's own words, which say more, arrive first whenever the connection works.
pub const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Does `work`, but waits no longer than `limit`, which should be the statement timeout and
/// [`ANSWER_GRACE`] on top for each statement that may take its time. When it is over, the error is one
/// that [`crate::is_retryable`] before the commit and [`crate::is_unclear`] at the commit, as for any
/// lost connection.
///
/// `work` must have its connection from a pool of [`crate::connect`] and keep it to itself: it is
/// dropped together with the work, and the pool closes it unless it answers once more. A transaction must be begun
/// by [`crate::Database::begin`] or [`crate::Working::begin`]: one that was given up half-way would be passed on.
///
/// # Errors
/// Those of `work`, and `sqlx::Error::Io` with [`ErrorKind::TimedOut`].
pub async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(silent(limit).into()),
    }
}

/// The error of a database that does not answer.
pub(crate) fn silent(limit: Duration) -> sqlx::Error {
    let what = format!("the database did not answer within {limit:?}");
    sqlx::Error::Io(Error::new(ErrorKind::TimedOut, what))
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::{is_retryable, is_unclear};

    #[tokio::test]
    async fn silence_counts_as_a_lost_connection() {
        let limit = Duration::from_millis(6);
        let error = within(limit, pending::<Result<(), sqlx::Error>>()).await;
        let error = error.unwrap_err();
        assert!(is_retryable(&error) && is_unclear(&error), "{error}");
        assert!(error.to_string().contains("within 6ms"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_in_time_is_given_as_it_is() {
        let limit = Duration::from_secs(6);
        let done = within(limit, ready(Ok::<_, sqlx::Error>(7))).await;
        assert_eq!(done.unwrap(), 7);
        let refused = ready(Err::<(), _>(sqlx::Error::RowNotFound));
        let error = within(limit, refused).await.unwrap_err();
        assert!(matches!(error, sqlx::Error::RowNotFound), "{error}");
    }
}
