//! The settings of product-service.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{ArgAction, Args};
use service_kit::{
    auth::{Access, require_token},
    config::{Common, Secret, SecretUrl, Settings, count, duration, duration_or_zero},
    server::{Front, GRPC_CONNECTIONS_MAX},
    tls,
};

use crate::{ledger::hold::HOLD_TTL_MAX, stock::sold_out::MEMORY_MAX, workers::Retention};

/// Every variable, with its default.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Where products, deals, stock and holds are kept: postgres://user:password@host/name, or
    /// sqlite:///path/of/a/file for one process alone
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretUrl,

    /// Most connections to the database
    #[arg(long, env = "DATABASE_CONNECTIONS_MAX", value_parser = connections, default_value_t = 16)]
    pub database_connections_max: u32,

    /// Where the stock of hot deals is counted first: redis://host/, or rediss://host/ over TLS
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<SecretUrl>,

    /// Authority that signed Redis's certificate, in PEM; none: those that this machine trusts
    #[arg(long, env = "REDIS_CA_FILE")]
    pub redis_ca_file: Option<PathBuf>,

    /// Whether hot deals go through Redis; false: every request goes straight to the database
    #[arg(long, env = "HOTDEAL_STOCK_REDIS", action = ArgAction::Set, default_value_t = true)]
    pub hotdeal_stock_redis: bool,

    /// Listens for HTTP
    #[arg(long, env = "PRODUCT_HTTP_ADDR", default_value = "127.0.0.1:8081")]
    pub product_http_addr: SocketAddr,

    /// Listens for gRPC
    #[arg(long, env = "PRODUCT_GRPC_ADDR", default_value = "127.0.0.1:50051")]
    pub product_grpc_addr: SocketAddr,

    /// gRPC connections served at once; further ones wait to be accepted
    #[arg(long, env = "GRPC_CONNECTIONS_MAX", value_parser = count, default_value_t = GRPC_CONNECTIONS_MAX)]
    pub grpc_connections_max: usize,

    /// Answers /health/live, /health/ready and /metrics
    #[arg(long, env = "PRODUCT_OPS_ADDR", default_value = "127.0.0.1:9101")]
    pub product_ops_addr: SocketAddr,

    /// Bearer token of HTTP calls that change products, stock or deals, and of the operator's reads
    #[arg(long, env = "ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<Secret>,

    /// Bearer token of gRPC calls that move stock
    #[arg(long, env = "SERVICE_TOKEN", hide_env_values = true)]
    pub service_token: Option<Secret>,

    /// How long stock is held for an order that names no time itself: 1s to 24h
    #[arg(long, env = "HOLD_TTL", value_parser = hold_ttl, default_value = "5m")]
    pub hold_ttl: Duration,

    /// How long ended holds are kept: 25h or more. Meanwhile their orders take nothing again, and their sales
    /// can be taken back
    #[arg(long, env = "HOLD_RETENTION", value_parser = hold_retention, default_value = "7d")]
    pub hold_retention: Duration,

    /// How long ids of batches are kept: 10m or more
    #[arg(long, env = "BATCH_RETENTION", value_parser = batch_retention, default_value = "1d")]
    pub batch_retention: Duration,

    /// Requests for stock that are done together: 1 to 1024; 1 does them one by one
    #[arg(long, env = "STOCK_BATCH_MAX", value_parser = batch_max, default_value_t = 64)]
    pub stock_batch_max: usize,

    /// How long first attempts are told from memory that nothing is left: 0ms to 50ms; 0ms asks each time
    #[arg(long, env = "SOLD_OUT_MEMORY", value_parser = sold_out_memory, default_value = "50ms")]
    pub sold_out_memory: Duration,

    /// Requests for stock that may wait before Redis, and for each worker of the database
    #[arg(long, env = "STOCK_QUEUE_MAX", value_parser = count, default_value_t = 8192)]
    pub stock_queue_max: usize,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help")]
    pub common: Common,
}

impl Config {
    /// Who may call the HTTP endpoints that change something.
    ///
    /// # Errors
    /// When the listener is reachable from beyond this machine and there is no `ADMIN_TOKEN`.
    pub fn admin_access(&self) -> Result<Access, String> {
        require_token(
            self.product_http_addr,
            self.admin_token.as_ref(),
            "ADMIN_TOKEN",
        )
    }

    /// Who may call the gRPC methods that move stock.
    ///
    /// # Errors
    /// When the listener is reachable from beyond this machine and there is no `SERVICE_TOKEN`.
    pub fn caller_access(&self) -> Result<Access, String> {
        require_token(
            self.product_grpc_addr,
            self.service_token.as_ref(),
            "SERVICE_TOKEN",
        )
    }

    /// What its ports for clients show.
    ///
    /// # Errors
    /// In words that name the variable of TLS or CORS that cannot be used.
    pub fn front(&self) -> Result<Front, String> {
        Front::new(&self.common)
    }

    /// The certificates in `REDIS_CA_FILE`, in PEM; `None`: it is not set.
    ///
    /// # Errors
    /// When the file cannot be used, or would not be: then the connection would not be what it was meant
    /// to be.
    pub fn redis_ca(&self) -> Result<Option<Vec<u8>>, String> {
        const VARIABLE: &str = "REDIS_CA_FILE";
        let Some(file) = &self.redis_ca_file else {
            return Ok(None);
        };
        let is_tls = |url: &SecretUrl| url.expose().starts_with("rediss://");
        if !self.redis_url.as_ref().is_none_or(is_tls) {
            return Err(format!(
                "{VARIABLE} is set, but REDIS_URL does not begin with rediss://: without that there is no TLS"
            ));
        }
        tls::read_ca(file, VARIABLE).map(Some)
    }

    /// The Redis of the gate; `None`: no gate.
    ///
    /// # Errors
    /// When there should be a gate and `REDIS_URL` is not set.
    pub fn gate_url(&self) -> Result<Option<&SecretUrl>, String> {
        match (&self.redis_url, self.hotdeal_stock_redis) {
            (_, false) => Ok(None),
            (Some(url), true) => Ok(Some(url)),
            (None, true) => Err("REDIS_URL is not set, but HOTDEAL_STOCK_REDIS is true: set REDIS_URL \
                                 to a Redis such as redis://127.0.0.1:6379, or HOTDEAL_STOCK_REDIS=false \
                                 to sell hot deals from the database alone"
                .to_owned()),
        }
    }
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), String> {
        sql::Engine::of(self.database_url.expose())
            .map_err(|wrong| format!("DATABASE_URL {wrong}"))?;
        self.gate_url()?;
        self.admin_access()?;
        self.caller_access()?;
        self.redis_ca()?;
        self.front()?;
        Ok(())
    }
}

fn sold_out_memory(text: &str) -> Result<Duration, String> {
    let memory = duration_or_zero(text)?;
    if memory <= MEMORY_MAX {
        return Ok(memory);
    }
    Err(format!(
        "at most {MEMORY_MAX:?}: units that come back must not look sold out for longer"
    ))
}

fn hold_ttl(text: &str) -> Result<Duration, String> {
    const MIN: Duration = Duration::from_secs(1);
    let ttl = duration(text)?;
    if (MIN..=HOLD_TTL_MAX).contains(&ttl) {
        return Ok(ttl);
    }
    Err("must be from 1s to 24h".to_owned())
}

fn hold_retention(text: &str) -> Result<Duration, String> {
    at_least(text, Retention::HOLDS_MIN, "25h")
}

fn batch_retention(text: &str) -> Result<Duration, String> {
    at_least(text, Retention::BATCHES_MIN, "10m")
}

fn at_least(text: &str, min: Duration, words: &str) -> Result<Duration, String> {
    let kept = duration(text)?;
    match kept >= min {
        true => Ok(kept),
        false => Err(format!("must be at least {words}")),
    }
}

fn batch_max(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(max @ 1..=1024) => Ok(max),
        _ => Err("must be a whole number from 1 to 1024".to_owned()),
    }
}

fn connections(text: &str) -> Result<u32, String> {
    // Fewer than the two workers of the ledger, a keeper and a reader need would block each other.
    match text.parse() {
        Ok(max @ 4..=1000) => Ok(max),
        _ => Err("must be a whole number from 4 to 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use service_kit::config::{Loaded, load_with};

    use super::*;

    fn load(env: &[(&str, &str)]) -> Result<Config, String> {
        let look_up = |name: &str| {
            let all = [("DATABASE_URL", "postgres://u:pw@localhost/db")];
            let found = env.iter().chain(&all).find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let args = [OsString::from("product-service")];
        match load_with("product-service", "", args, look_up) {
            Ok(Loaded::Run(config)) => Ok(config),
            Ok(Loaded::Done) => panic!("nobody asked for a check"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_gate_needs_a_redis() {
        let error = load(&[]).unwrap_err();
        assert!(
            error.contains("REDIS_URL") && error.contains("HOTDEAL_STOCK_REDIS"),
            "{error}"
        );
        let without = load(&[("HOTDEAL_STOCK_REDIS", "false")]).unwrap();
        assert!(without.gate_url().unwrap().is_none());
        let with = load(&[("REDIS_URL", "redis://localhost/")]).unwrap();
        assert!(with.gate_url().unwrap().is_some());
    }

    #[test]
    fn beyond_loopback_the_missing_token_is_named() {
        let redis = ("REDIS_URL", "redis://localhost/");
        for (addr, token) in [
            ("PRODUCT_HTTP_ADDR", "ADMIN_TOKEN"),
            ("PRODUCT_GRPC_ADDR", "SERVICE_TOKEN"),
        ] {
            let error = load(&[redis, (addr, "0.0.0.0:1")]).unwrap_err();
            assert!(error.contains(token), "{error}");
            assert!(
                load(&[redis, (addr, "0.0.0.0:1"), (token, "s3cret")]).is_ok(),
                "{addr}"
            );
        }
    }

    #[test]
    fn files_of_tls_that_would_not_be_used_are_refused_by_name() {
        let redis = ("REDIS_URL", "redis://localhost/");
        let error = load(&[redis, ("REDIS_CA_FILE", "ca.pem")]).unwrap_err();
        assert!(
            error.contains("REDIS_CA_FILE") && error.contains("rediss://"),
            "{error}"
        );
        let over_tls = ("REDIS_URL", "rediss://localhost/");
        let error = load(&[over_tls, ("REDIS_CA_FILE", "/nowhere")]).unwrap_err();
        assert!(
            error.contains("REDIS_CA_FILE: /nowhere cannot be read"),
            "{error}"
        );
        let error = load(&[redis, ("TLS_KEY_FILE", "key.pem")]).unwrap_err();
        assert!(error.contains("TLS_CERT_FILE is not"), "{error}");
    }

    #[test]
    fn only_an_engine_there_is_is_a_database() {
        let with = |url| load(&[("HOTDEAL_STOCK_REDIS", "false"), ("DATABASE_URL", url)]);
        for url in ["mysql://u:hush@h/db", "sqlite:hush.db", "u:hush@h/db"] {
            let error = with(url).unwrap_err();
            assert!(
                error.contains("DATABASE_URL") && error.contains("postgres://"),
                "{error}"
            );
            assert!(!error.contains("hush"), "{error}");
        }
        assert!(with("postgresql://u@h/db").is_ok());
        assert!(with("sqlite://shop.db").is_ok());
    }

    #[test]
    fn figures_out_of_range_are_refused() {
        for (name, value) in [
            ("HOLD_TTL", "999ms"),
            ("HOLD_TTL", "25h"),
            ("SOLD_OUT_MEMORY", "51ms"),
            ("HOLD_RETENTION", "24h"),
            ("BATCH_RETENTION", "9m"),
            ("STOCK_BATCH_MAX", "0"),
            ("STOCK_BATCH_MAX", "1025"),
            ("DATABASE_CONNECTIONS_MAX", "0"),
            ("PRODUCT_HTTP_ADDR", "localhost"),
        ] {
            let error = load(&[("HOTDEAL_STOCK_REDIS", "false"), (name, value)]).unwrap_err();
            let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
            assert!(error.contains(&flag), "{error}");
        }
    }

    #[test]
    fn passwords_never_show() {
        let config = load(&[
            ("REDIS_URL", "redis://:hush@localhost/"),
            ("ADMIN_TOKEN", "t0ken"),
        ]);
        let shown = format!("{:?}", config.unwrap());
        assert!(
            !shown.contains("hush") && !shown.contains("t0ken") && !shown.contains("pw"),
            "{shown}"
        );
    }
}
