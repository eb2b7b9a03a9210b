//! What goes wrong with a command, and the exit code that says it.

use std::{io, process::ExitCode};

use http::StatusCode;

use crate::client::{Base, CallError};

/// Exit codes, for `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused by the shop (sold out, not found, not allowed, bad input); a demo's bad verdict
  2  wrong usage: unknown flags, missing arguments, bad settings
  3  the shop cannot be reached
  4  the shop cannot answer now (overloaded, unavailable) or failed: try again";

/// A command that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The shop did not do it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It was done, and what came of it is not good.
    #[error("{0}")]
    Bad(String),
    /// No answer from an ops port.
    #[error("no answer from {base}: {source}; is it the ops port of a service that runs?")]
    Silent {
        /// Where it should be.
        base: Base,
        /// What went wrong.
        source: io::Error,
    },
    /// The service runs and cannot do its work; what it says about that.
    #[error("not ready: {0}")]
    Unready(String),
    /// The command itself makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// What the process ends with.
    pub(super) fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Bad(_) => 1,
            Self::Usage(_) => 2,
            Self::Silent { .. }
            | Self::Call(CallError::Unreachable { .. } | CallError::Foreign { .. }) => 3,
            Self::Unready(_) => 4,
            Self::Call(CallError::Answered { status, .. }) => match *status {
                StatusCode::TOO_MANY_REQUESTS => 4,
                status if status.is_server_error() => 4,
                _ => 1,
            },
        };
        ExitCode::from(code)
    }
}
