//! What Postgres' SQLSTATE says.

pub(super) fn is_unclear(code: &str) -> bool {
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

pub(super) fn is_retryable(code: &str) -> bool {
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
    use super::*;

    #[test]
    fn a_server_that_goes_down_leaves_the_outcome_open() {
        for code in [
            "08006", "08003", "40003", "57P01", "57P02", "57P04", "58030", "XX000",
        ] {
            assert!(is_unclear(code), "{code}");
        }
    }

    #[test]
    fn a_refusal_of_the_server_is_clear() {
        for code in [
            "23505", "23514", "40001", "40P01", "55P03", "57P03", "57014", "25P03", "53300",
            "42P01",
        ] {
            assert!(!is_unclear(code), "{code}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_tried_again() {
        for code in [
            "40001", "40P01", "55P03", "25P03", "57014", "53300", "57P01", "57P02", "57P03",
            "08006",
        ] {
            assert!(is_retryable(code), "{code}");
        }
        for code in [
            "23505", "23514", "22003", "42P01", "28P01", "3D000", "25P02",
        ] {
            assert!(!is_retryable(code), "{code}");
        }
    }
}
