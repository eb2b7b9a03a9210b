//! The settings every service has.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{count, duration};
use crate::cors::Origin;

/// Flattened into each service's settings with `#[command(flatten)]`.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// How log lines are written
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,

    /// What is logged: a level, or `target=level` pairs separated by commas
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,

    /// How long requests in flight may take to end after a stop
    #[arg(long, env = "DRAIN_TIMEOUT", value_parser = duration, default_value = "10s")]
    pub drain_timeout: Duration,

    /// The longest request body taken, in bytes
    #[arg(long, env = "HTTP_BODY_LEN_MAX", value_parser = count, default_value_t = 262_144)]
    pub http_body_len_max: usize,

    /// HTTP connections served at once; further ones wait to be accepted
    #[arg(long, env = "HTTP_CONNECTIONS_MAX", value_parser = count, default_value_t = 4096)]
    pub http_connections_max: usize,

    /// Requests worked on at once; further ones are answered 503
    #[arg(long, env = "HTTP_IN_FLIGHT_MAX", value_parser = count, default_value_t = 512)]
    pub http_in_flight_max: usize,

    /// How long a request may take, its body included
    #[arg(long, env = "REQUEST_TIMEOUT", value_parser = duration, default_value = "10s")]
    pub request_timeout: Duration,

    /// Certificate of the service's own ports, in PEM with its chain; with it they speak TLS only, but for
    /// the ops port, which stays plain
    #[arg(long, env = "TLS_CERT_FILE")]
    pub tls_cert_file: Option<PathBuf>,

    /// Private key of that certificate, in PEM
    #[arg(long, env = "TLS_KEY_FILE")]
    pub tls_key_file: Option<PathBuf>,

    /// Origins whose pages may call, separated by commas; *: any page may read what everybody may read
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,

    /// Threads that run the service
    ///
    /// One serves most orders a second (docs/performance.md); a machine with more cores runs more replicas.
    #[arg(long, env = "WORKER_THREADS", value_parser = count, default_value_t = 1)]
    pub worker_threads: usize,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// The built-in defaults, for tests and embedding.
impl Default for Common {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Human,
            log: "info".to_owned(),
            drain_timeout: Duration::from_secs(10),
            http_body_len_max: 262_144,
            http_connections_max: 4096,
            http_in_flight_max: 512,
            request_timeout: Duration::from_secs(10),
            tls_cert_file: None,
            tls_key_file: None,
            cors_origins: Vec::new(),
            worker_threads: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn the_default_is_what_no_arguments_give() {
        let matches = Common::augment_args(Command::new("test")).get_matches_from(["test"]);
        let parsed = Common::from_arg_matches(&matches).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Common::default()));
    }
}
