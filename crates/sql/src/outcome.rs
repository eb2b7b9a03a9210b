//! What an error says about the transaction it came from. Codes are Postgres' SQLSTATE.

use sqlx::Error;

/// Whether a failed `COMMIT` (or a statement that commits by itself) may have taken effect: the
/// connection was lost, or the server went down, before its answer arrived. Look the outcome up before
/// anything is tried again. In doubt the answer is yes, since a look-up costs little.
pub fn is_unclear(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        Error::Database(error) => error.code().is_none_or(|code| is_unclear_code(&code)),
        _ => false,
    }
}

/// Whether the same transaction, begun anew, may succeed a little later. Ask [`is_unclear`] first when
/// it was the commit that failed.
pub fn is_retryable(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::PoolTimedOut => true,
        Error::Database(error) => error.code().is_some_and(|code| is_retryable_code(&code)),
        _ => false,
    }
}

fn is_unclear_code(code: &str) -> bool {
    match code {
        // Statement completion unknown.
        "40003" => true,
        // Shutdown by the administrator, after a crash, or because the database was dropped.
        "57P01" | "57P02" | "57P04" => true,
        // Connection exceptions, system errors, internal errors.
        _ => ["08", "58", "XX"]
            .iter()
            .any(|class| code.starts_with(class)),
    }
}

fn is_retryable_code(code: &str) -> bool {
    match code {
        // Serialization failure, deadlock, lock timeout.
        "40001" | "40P01" | "55P03" => true,
        // The server ended a transaction that stood still too long, or a statement that ran too long.
        "25P03" | "57014" => true,
        // Too many connections; shutting down, crashed, starting up.
        "53300" | "57P01" | "57P02" | "57P03" => true,
        // Connection exceptions.
        _ => code.starts_with("08"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_lost_connection_leaves_the_outcome_open() {
        for code in [
            "08006", "08003", "40003", "57P01", "57P02", "57P04", "58030", "XX000",
        ] {
            assert!(is_unclear_code(code), "{code}");
        }
        let lost = || Error::Io(io::ErrorKind::ConnectionReset.into());
        assert!(is_unclear(&lost()) && is_retryable(&lost()));
        assert!(is_unclear(&Error::WorkerCrashed) && !is_retryable(&Error::WorkerCrashed));
    }

    #[test]
    fn a_refusal_of_the_server_is_clear() {
        for code in [
            "23505", "23514", "40001", "40P01", "55P03", "57P03", "57014", "25P03", "53300",
            "42P01",
        ] {
            assert!(!is_unclear_code(code), "{code}");
        }
        assert!(!is_unclear(&Error::PoolTimedOut) && is_retryable(&Error::PoolTimedOut));
        assert!(!is_unclear(&Error::RowNotFound) && !is_retryable(&Error::RowNotFound));
    }

    #[test]
    fn what_passes_by_itself_is_tried_again() {
        for code in [
            "40001", "40P01", "55P03", "25P03", "57014", "53300", "57P01", "57P02", "57P03",
            "08006",
        ] {
            assert!(is_retryable_code(code), "{code}");
        }
        for code in [
            "23505", "23514", "22003", "42P01", "28P01", "3D000", "25P02",
        ] {
            assert!(!is_retryable_code(code), "{code}");
        }
    }
}
