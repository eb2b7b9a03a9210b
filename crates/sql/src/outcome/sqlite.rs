//! What SQLite's result codes say.
//!
//! A commit whose write or sync failed is taken back in the running process, but its frames may stand in
//! the write-ahead log, the one that commits among them: should the process die before the next commit
//! overwrites them, recovery finds the transaction whole and keeps it. So such an error is unclear, and
//! whoever looks the outcome up must do so by a write of his own, which then overwrites those frames.

pub(super) const INTERNAL: i32 = 2;
const PERM: i32 = 3;
const ABORT: i32 = 4;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
pub(crate) const READONLY: i32 = 8;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
pub(crate) const CANTOPEN: i32 = 14;
const PROTOCOL: i32 = 15;
pub(crate) const NOTADB: i32 = 26;

/// Of the extended codes, the lowest byte is the kind.
pub(crate) fn kind(code: i32) -> i32 {
    code & 0xff
}

pub(super) fn is_unclear(code: i32) -> bool {
    matches!(
        kind(code),
        INTERNAL | NOMEM | IOERR | CORRUPT | FULL | CANTOPEN
    )
}

pub(super) fn is_retryable(code: i32) -> bool {
    matches!(
        kind(code),
        // Somebody else's lock, which passes; PROTOCOL is a lock that was lost too often in a row.
        BUSY | LOCKED | PROTOCOL
        // Ended by somebody, or together with its transaction.
        | INTERRUPT | ABORT
        // The machine is out of something: memory, disk, open files, permission on a folder.
        | NOMEM | IOERR | FULL | CANTOPEN | PERM
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Busy, with a snapshot that is too old, and locked.
    const BUSY_CODES: [i32; 3] = [5, 517, 6];
    /// Full; I/O errors of writing and of syncing.
    const DISK_CODES: [i32; 3] = [13, 778, 1034];
    /// An error in the statement, a check, a primary key, read-only.
    const REFUSALS: [i32; 4] = [1, 275, 1555, 8];

    #[test]
    fn a_lock_is_a_clear_no_that_passes() {
        for code in BUSY_CODES {
            assert!(is_retryable(code) && !is_unclear(code), "{code}");
        }
    }

    #[test]
    fn a_disk_that_fails_leaves_the_outcome_open() {
        for code in DISK_CODES {
            assert!(is_retryable(code) && is_unclear(code), "{code}");
        }
    }

    #[test]
    fn a_refusal_is_clear_and_stays() {
        for code in REFUSALS {
            assert!(!is_retryable(code) && !is_unclear(code), "{code}");
        }
    }
}
