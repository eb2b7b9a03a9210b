//! The settings of order-service. Each field's first line is what `--help` says.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use service_kit::{
    config::{Common, Secret, SecretUrl, Settings, count, duration},
    server::Front,
    tls,
};

/// Every setting.
#[derive(clap::Args, Clone, Debug)]
pub struct Config {
    /// Where orders are kept: postgres://user:password@host/name, in its schema `order_service`, or
    /// sqlite:///path/of/a/file for one process alone
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretUrl,

    /// Connections to the database at most
    #[arg(long, env = "DATABASE_CONNECTIONS_MAX", value_parser = count, default_value_t = 16)]
    pub database_connections_max: usize,

    /// Where buyers reach the service
    #[arg(long, env = "ORDER_HTTP_ADDR", default_value = "127.0.0.1:8080")]
    pub order_http_addr: SocketAddr,

    /// Health and metrics
    #[arg(long, env = "ORDER_OPS_ADDR", default_value = "127.0.0.1:9102")]
    pub order_ops_addr: SocketAddr,

    /// product-service's replicas, separated by commas; https:// over TLS
    #[arg(
        long,
        env = "PRODUCT_GRPC_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:50051"
    )]
    pub product_grpc_url: Vec<String>,

    /// Authority that signed their certificates, in PEM; none: those that this machine trusts
    #[arg(long, env = "PRODUCT_GRPC_CA_FILE")]
    pub product_grpc_ca_file: Option<PathBuf>,

    /// gRPC connections to each of them
    #[arg(long, env = "PRODUCT_CHANNELS", value_parser = count, default_value_t = 2)]
    pub product_channels: usize,

    /// Shown to product-service; none: it answers loopback only
    #[arg(long, env = "SERVICE_TOKEN", hide_env_values = true)]
    pub service_token: Option<Secret>,

    /// Believe `X-User-ID` beyond loopback: only behind a gateway that sets it
    #[arg(
        long,
        env = "TRUST_USER_HEADER",
        action = clap::ArgAction::Set,
        default_value_t = false
    )]
    pub trust_user_header: bool,

    /// How long stock is held for an order that is not confirmed, 1s to 24h
    #[arg(long, env = "HOLD_TTL", value_parser = hold_ttl, default_value = "5m")]
    pub hold_ttl: Duration,

    /// Orders stored in one commit at most; 1 turns the group commit off
    #[arg(long, env = "ORDER_BATCH_MAX", value_parser = batch_max, default_value_t = 64)]
    pub order_batch_max: usize,

    /// Final orders older than this are deleted with their keys; unset: none is
    ///
    /// At least 25h, and no less than product-service's HOLD_RETENTION: while product-service remembers
    /// an order's hold, its key can place no other order, and only the order itself can answer it. Once
    /// product-service has forgotten a sale, the order can no longer be cancelled, only read.
    #[arg(long, env = "ORDER_RETENTION", value_parser = retention)]
    pub order_retention: Option<Duration>,

    /// Streams of order events at once, at most half of HTTP_CONNECTIONS_MAX; further ones are answered 503
    #[arg(long, env = "ORDER_STREAMS_MAX", value_parser = count, default_value_t = 1000)]
    pub order_streams_max: usize,

    /// How long a stream of order events may last; its client comes back
    #[arg(long, env = "ORDER_STREAM_AGE_MAX", value_parser = duration, default_value = "15m")]
    pub order_stream_age_max: Duration,

    /// What every service has
    #[command(flatten)]
    pub common: Common,
}

impl Config {
    /// Streams at once: whoever watches must leave connections to those who buy.
    pub fn streams_max(&self) -> usize {
        let connections_max = self.common.http_connections_max;
        self.order_streams_max.min(connections_max / 2)
    }

    /// Whether the header that names the buyer is believed: on loopback, or if the operator says so.
    pub fn is_user_header_trusted(&self) -> bool {
        self.trust_user_header || self.order_http_addr.ip().to_canonical().is_loopback()
    }

    /// What its port for buyers shows.
    ///
    /// # Errors
    /// In words that name the variable of TLS or CORS that cannot be used.
    pub fn front(&self) -> Result<Front, String> {
        Front::new(&self.common)
    }

    /// The certificates in `PRODUCT_GRPC_CA_FILE`, in PEM; `None`: it is not set.
    ///
    /// # Errors
    /// When the file cannot be used, or would not be: then a connection would not be what it was meant to
    /// be.
    pub fn product_grpc_ca(&self) -> Result<Option<Vec<u8>>, String> {
        const VARIABLE: &str = "PRODUCT_GRPC_CA_FILE";
        let Some(file) = &self.product_grpc_ca_file else {
            return Ok(None);
        };
        if let Some(plain) = self.product_grpc_url.iter().find(|url| !is_tls(url)) {
            return Err(format!(
                "{VARIABLE} is set, but PRODUCT_GRPC_URL has {plain}: only https:// is TLS"
            ));
        }
        tls::read_ca(file, VARIABLE).map(Some)
    }

    /// Says in the log that every order will be refused, where that is so.
    pub fn warn_if_no_buyer_is_believed(&self) {
        if !self.is_user_header_trusted() {
            tracing::warn!(
                "every buyer is refused: TRUST_USER_HEADER is not set and {} is no loopback address",
                self.order_http_addr
            );
        }
    }
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

fn is_tls(url: &str) -> bool {
    url.starts_with("https://")
}

fn is_address(url: &str) -> bool {
    let authority = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .map(|rest| rest.trim_end_matches('/'));
    authority.is_some_and(|authority| authority.contains(':') && !authority.contains('/'))
}

impl Settings for Config {
    fn validate(&self) -> Result<(), String> {
        sql::Engine::of(self.database_url.expose())
            .map_err(|wrong| format!("DATABASE_URL {wrong}"))?;
        if let Some(url) = self.product_grpc_url.iter().find(|url| !is_address(url)) {
            return Err(format!(
                "PRODUCT_GRPC_URL must be like http://host:50051 or https://host:50051, not {url:?}"
            ));
        }
        self.product_grpc_ca()?;
        self.front()?;
        Ok(())
    }
}

fn hold_ttl(text: &str) -> Result<Duration, String> {
    const MIN: Duration = Duration::from_secs(1);
    /// product-service holds stock no longer than this.
    const MAX: Duration = Duration::from_secs(24 * 3600);
    let ttl = duration(text)?;
    if (MIN..=MAX).contains(&ttl) {
        return Ok(ttl);
    }
    Err("must be from 1s to 24h".to_owned())
}

fn retention(text: &str) -> Result<Duration, String> {
    /// An hour more than the longest hold.
    const MIN: Duration = Duration::from_secs(25 * 3600);
    let kept = duration(text)?;
    if kept >= MIN {
        return Ok(kept);
    }
    Err("must be at least 25h".to_owned())
}

fn batch_max(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(max @ 1..=1024) => Ok(max),
        _ => Err("must be a whole number from 1 to 1024".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use service_kit::config::{Loaded, load_with};

    use super::*;

    fn load(args: &[&str]) -> Result<Config, String> {
        let url = "--database-url=postgres://u:secret@127.0.0.1/x";
        let args = ["order-service", url]
            .into_iter()
            .chain(args.iter().copied());
        let loaded = load_with("order-service", "", args.map(OsString::from), |_| None);
        match loaded {
            Ok(Loaded::Run(config)) => Ok(config),
            Ok(Loaded::Done) => Err("done".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_buyer_header_is_believed_on_loopback_or_when_told_so() {
        assert!(load(&[]).unwrap().is_user_header_trusted());
        let open = "--order-http-addr=0.0.0.0:8080";
        assert!(!load(&[open]).unwrap().is_user_header_trusted());
        let told = load(&[open, "--trust-user-header=true"]).unwrap();
        assert!(told.is_user_header_trusted());
    }

    #[test]
    fn several_product_services_are_separated_by_commas() {
        let config = load(&["--product-grpc-url=http://a:1,https://b:2"]).unwrap();
        assert_eq!(config.product_grpc_url, ["http://a:1", "https://b:2"]);
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        for (arg, name) in [
            ("--hold-ttl=25h", "HOLD_TTL"),
            ("--hold-ttl=10ms", "HOLD_TTL"),
            ("--order-batch-max=2000", "ORDER_BATCH_MAX"),
            ("--order-batch-max=0", "order-batch-max"),
            ("--product-grpc-url=127.0.0.1:50051", "PRODUCT_GRPC_URL"),
            ("--product-grpc-url=http://a:1,", "PRODUCT_GRPC_URL"),
            ("--order-retention=24h", "ORDER_RETENTION"),
            ("--product-grpc-ca-file=ca.pem", "PRODUCT_GRPC_CA_FILE"),
            ("--tls-cert-file=cert.pem", "TLS_KEY_FILE"),
            ("--cors-origins=*,https://shop.example", "CORS_ORIGINS"),
            ("--cors-origins=shop.example", "cors-origins"),
        ] {
            assert!(load(&[arg]).unwrap_err().contains(name), "{arg}");
        }
    }

    #[test]
    fn the_password_never_shows() {
        let config = load(&["--service-token=hush"]).unwrap();
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("hush"),
            "{shown}"
        );
    }
}
