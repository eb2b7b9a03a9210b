//! What an error says about the transaction it came from: what Postgres' SQLSTATE and SQLite's result
//! codes say stands in `postgres` and `sqlite`.

mod postgres;
pub(crate) mod sqlite;

use sqlx::{Error, error::DatabaseError, sqlite::SqliteError};

/// Whether a failed `COMMIT` (or a statement that commits by itself) may have taken effect: the
/// connection was lost, or the server went down, before its answer arrived; or the disk failed under a
/// file. Look the outcome up before anything is tried again. In doubt the answer is yes, since a look-up
/// costs little.
pub fn is_unclear(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        Error::Database(error) => match sqlite_code(&**error) {
            Some(code) => sqlite::is_unclear(code),
            None => error.code().is_none_or(|code| postgres::is_unclear(&code)),
        },
        _ => false,
    }
}

/// Whether the same transaction, begun anew, may succeed a little later. Ask [`is_unclear`] first when
/// it was the commit that failed.
pub fn is_retryable(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::PoolTimedOut => true,
        Error::Database(error) => match sqlite_code(&**error) {
            Some(code) => sqlite::is_retryable(code),
            None => error
                .code()
                .is_some_and(|code| postgres::is_retryable(&code)),
        },
        _ => false,
    }
}

/// The extended result code, if it is an error of SQLite; one that is no number counts as unknown.
pub(crate) fn sqlite_code(error: &dyn DatabaseError) -> Option<i32> {
    let error = error.try_downcast_ref::<SqliteError>()?;
    let code = error.code().and_then(|code| code.parse().ok());
    Some(code.unwrap_or(sqlite::INTERNAL))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_lost_connection_leaves_the_outcome_open() {
        let lost = || Error::Io(io::ErrorKind::ConnectionReset.into());
        assert!(is_unclear(&lost()) && is_retryable(&lost()));
        assert!(is_unclear(&Error::WorkerCrashed) && !is_retryable(&Error::WorkerCrashed));
    }

    #[test]
    fn what_never_reached_the_database_is_clear() {
        assert!(!is_unclear(&Error::PoolTimedOut) && is_retryable(&Error::PoolTimedOut));
        assert!(!is_unclear(&Error::RowNotFound) && !is_retryable(&Error::RowNotFound));
    }
}
