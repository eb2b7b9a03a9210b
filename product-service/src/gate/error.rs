//! What a failed call of the gate means.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why the gate gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// Redis is unreachable or refuses to write: for certain nothing was done.
    #[error("redis is down")]
    Down,
    /// The call was sent, but no answer came: it may have been carried out, or still be.
    #[error("no answer of redis: {0}")]
    Unclear(#[source] RedisError),
    /// Redis answered what no script of ours answers: a key was changed by hand, or is another
    /// program's. Also a request with figures that the gate cannot hold, which is not sent.
    #[error("unexpected answer of the gate: {0}")]
    Protocol(String),
}

impl GateError {
    /// The same failure for another of the calls that shared its round trip.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Down => Self::Down,
            Self::Unclear(error) => Self::Unclear(error.clone()),
            Self::Protocol(what) => Self::Protocol(what.clone()),
        }
    }

    /// As the label of a metric.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Unclear(_) => "unclear",
            Self::Protocol(_) => "protocol",
        }
    }
}

impl From<RedisError> for GateError {
    /// Of a command that was, or may have been, sent.
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(kind) if refuses(kind) => Self::Down,
            ErrorKind::Extension if error.code().is_some_and(refuses_by) => Self::Down,
            ErrorKind::Server(_)
            | ErrorKind::Extension
            | ErrorKind::Parse
            | ErrorKind::UnexpectedReturnType => Self::Protocol(error.to_string()),
            ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => Self::Down,
            _ => Self::Unclear(error),
        }
    }
}

/// Whether the server refused the whole script. It checks before the first write of a script: one that
/// has written is not stopped by these any more.
fn refuses(kind: ServerErrorKind) -> bool {
    use ServerErrorKind as Kind;
    match kind {
        Kind::BusyLoading
        | Kind::NoScript
        | Kind::Moved
        | Kind::Ask
        | Kind::TryAgain
        | Kind::ClusterDown
        | Kind::CrossSlot
        | Kind::MasterDown
        | Kind::ReadOnly
        | Kind::NoPerm => true,
        Kind::ResponseError | Kind::ExecAbort | Kind::NotBusy | Kind::NoSub => false,
        _ => false,
    }
}

/// The same for the codes that the client library does not know.
fn refuses_by(code: &str) -> bool {
    matches!(
        code,
        "MISCONF" | "OOM" | "BUSY" | "NOREPLICAS" | "NOAUTH" | "WRONGPASS"
    )
}

/// Lua counts in doubles: beyond 2⁵³ − 1 it would miscount.
const FIGURE_MAX: i64 = (1 << 53) - 1;

/// `figure`, when the gate can hold it: 0 to 2⁵³ − 1.
pub(super) fn in_range(figure: i64) -> Result<i64, GateError> {
    if (0..=FIGURE_MAX).contains(&figure) {
        return Ok(figure);
    }
    Err(GateError::Protocol(format!(
        "{figure} is beyond what the gate holds"
    )))
}
