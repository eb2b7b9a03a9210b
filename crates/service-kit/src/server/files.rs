//! Open files: every connection is one, and without any left the whole process is deaf, its health
//! included.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides the connections of clients: databases, Redis, listeners, logs.
const OTHERS: usize = 256;

/// A server takes at most this part of the files, so that three of them leave a quarter for the rest.
const SHARE: usize = 4;

/// Connections that the servers of this process may open together.
static RESERVED: AtomicUsize = AtomicUsize::new(0);

/// The connections one server may have; they count while this lives.
#[derive(Debug)]
pub(super) struct Reserved {
    wanted: usize,
    /// What was asked for, or less where the files would not do.
    pub(super) connections_max: usize,
}

/// Raises the soft limit of open files to the hard one, and says how many connections fit under it; a
/// limit that is too low for all servers is logged.
pub(super) fn reserve(connections_max: usize) -> Reserved {
    let files_max = raise();
    let wanted = RESERVED.fetch_add(connections_max, Ordering::Relaxed) + connections_max;
    if wanted.saturating_add(OTHERS) > files_max {
        tracing::warn!(
            files_max,
            connections_max = wanted,
            "more connections are allowed than files can be open: raise the limit (ulimit -n), or lower \
             HTTP_CONNECTIONS_MAX and GRPC_CONNECTIONS_MAX"
        );
    }
    Reserved {
        wanted: connections_max,
        connections_max: connections_max.min((files_max / SHARE).max(1)),
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        RESERVED.fetch_sub(self.wanted, Ordering::Relaxed);
    }
}

/// The soft limit after it was raised as far as it goes.
fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files could not be raised");
            limit
        }
    };
    let files_max = now.current.unwrap_or(u64::MAX);
    usize::try_from(files_max).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_and_one_server_leaves_files_for_the_others() {
        let reserved = reserve(usize::MAX / 4);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        let files_max = limit
            .current
            .map_or(usize::MAX, |max| usize::try_from(max).unwrap());
        assert!(reserved.connections_max <= files_max / SHARE);
        assert_eq!(reserve(3).connections_max, 3);
    }
}
