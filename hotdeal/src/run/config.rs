//! The settings of `hotdeal run`: its own, and by their variables those of both services, which read
//! them themselves. A setting that a service gets is thereby one of the whole shop.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    net::SocketAddr,
    path::PathBuf,
};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use service_kit::config::{Common, SecretUrl, Settings};
use sql::Engine;

use super::data_dir;

/// Settings of the services that have no meaning here: where they listen, and how they find each other.
const LEFT_OUT: [&str; 8] = [
    "product_http_addr",
    "product_grpc_addr",
    "product_ops_addr",
    "order_http_addr",
    "order_ops_addr",
    "product_grpc_url",
    "product_grpc_ca_file",
    "product_channels",
];

/// Every setting.
#[derive(Clone, Debug)]
pub struct Config {
    /// What only the whole shop has.
    pub own: Own,
    /// As product-service would have it alone.
    pub product: product_service::config::Config,
    /// As order-service would have it alone.
    pub order: order_service::config::Config,
}

/// The settings that only the whole shop has, and those that mean something else here.
#[derive(Args, Clone, Debug)]
pub struct Own {
    /// Listens for HTTP: buyers and operators
    #[arg(long, env = "HOTDEAL_HTTP_ADDR", default_value = "127.0.0.1:8080")]
    pub hotdeal_http_addr: SocketAddr,

    /// Listens for gRPC
    #[arg(long, env = "HOTDEAL_GRPC_ADDR", default_value = "127.0.0.1:50051")]
    pub hotdeal_grpc_addr: SocketAddr,

    /// Answers /health/live, /health/ready and /metrics
    #[arg(long, env = "HOTDEAL_OPS_ADDR", default_value = "127.0.0.1:9100")]
    pub hotdeal_ops_addr: SocketAddr,

    /// Directory of product.db and order.db; made if it is not there. Delete it to start afresh
    #[arg(long, env = "HOTDEAL_DATA_DIR", default_value = "./data")]
    pub hotdeal_data_dir: PathBuf,

    /// Keeps everything in PostgreSQL instead: postgres://user:password@host/name
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretUrl>,

    /// Counts the stock of hot deals first in Redis: redis://host/
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<SecretUrl>,

    /// Whether hot deals go through Redis; by default if there is a REDIS_URL
    #[arg(long, env = "HOTDEAL_STOCK_REDIS", action = ArgAction::Set)]
    pub hotdeal_stock_redis: Option<bool>,

    /// Adds a demo product with a running deal if no deal runs, and says what to try
    #[arg(long, env = "HOTDEAL_DEMO", num_args = 0..=1, action = ArgAction::Set,
        default_value_t = false, default_missing_value = "true")]
    pub demo: bool,
}

impl Config {
    /// Whether the shop keeps what it knows in files of its own.
    pub fn is_on_files(&self) -> bool {
        self.own.database_url.is_none()
    }
}

impl Own {
    fn has_gate(&self) -> bool {
        self.hotdeal_stock_redis.unwrap_or(self.redis_url.is_some())
    }

    /// What a service is told in place of what it would read itself, by the ids of its settings.
    fn instead(&self, file: &str) -> HashMap<&'static str, OsString> {
        let [http, grpc, ops] = [
            self.hotdeal_http_addr,
            self.hotdeal_grpc_addr,
            self.hotdeal_ops_addr,
        ]
        .map(|addr| OsString::from(addr.to_string()));
        let database_url = match &self.database_url {
            Some(url) => OsString::from(url.expose()),
            None => data_dir::url(&self.hotdeal_data_dir, file).into(),
        };
        HashMap::from([
            ("product_http_addr", http.clone()),
            ("product_grpc_addr", grpc),
            ("product_ops_addr", ops.clone()),
            ("order_http_addr", http),
            ("order_ops_addr", ops),
            ("database_url", database_url),
            ("hotdeal_stock_redis", self.has_gate().to_string().into()),
        ])
    }
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.product.common
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), String> {
        if let Some(url) = &self.own.database_url
            && Engine::of(url.expose()) != Ok(Engine::Postgres)
        {
            return Err(
                "DATABASE_URL must begin with postgres:// or postgresql://: leave it unset to keep \
                 everything in files in HOTDEAL_DATA_DIR"
                    .to_owned(),
            );
        }
        self.product.validate()?;
        self.order.validate()
    }
}

impl Args for Config {
    fn augment_args(command: Command) -> Command {
        let command = Own::augment_args(command);
        let command = lend::<product_service::config::Config>(command);
        lend::<order_service::config::Config>(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Config {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let own = Own::from_arg_matches(matches)?;
        Ok(Self {
            product: hand_over(matches, &own.instead(data_dir::PRODUCT_FILE))?,
            order: hand_over(matches, &own.instead(data_dir::ORDER_FILE))?,
            own,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn settings_of<S: Args>() -> Vec<Arg> {
    let command = S::augment_args(Command::new("service"));
    command.get_arguments().cloned().collect()
}

/// Adds the settings of a service, but for those that are there already or make no sense here.
fn lend<S: Args>(command: Command) -> Command {
    let has = |command: &Command, arg: &Arg| {
        command
            .get_arguments()
            .any(|known| known.get_id() == arg.get_id())
    };
    settings_of::<S>()
        .into_iter()
        .filter(|arg| !LEFT_OUT.contains(&arg.get_id().as_str()))
        .fold(command, |command, arg| match has(&command, &arg) {
            true => command,
            false => command.arg(arg),
        })
}

/// The settings of a service from those of the shop, as if they were its flags; those in `instead` win.
fn hand_over<S: Args>(
    matches: &ArgMatches,
    instead: &HashMap<&'static str, OsString>,
) -> Result<S, Error> {
    let mut args = vec![OsString::from(super::NAME)];
    for arg in settings_of::<S>() {
        let id = arg.get_id().as_str();
        let value = match instead.get(id) {
            Some(value) => Some(value.clone()),
            None => raw(matches, &arg),
        };
        if let (Some(long), Some(value)) = (arg.get_long(), value) {
            let mut flag = OsString::from(format!("--{long}="));
            flag.push(value);
            args.push(flag);
        }
    }
    let command = S::augment_args(Command::new(super::NAME));
    S::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// The value as it would be written behind a flag; a list's values stand with their delimiter between.
fn raw(matches: &ArgMatches, arg: &Arg) -> Option<OsString> {
    let values = matches.try_get_raw(arg.get_id().as_str()).ok()??;
    let delimiter = arg.get_value_delimiter().unwrap_or(',').to_string();
    Some(values.collect::<Vec<_>>().join(OsStr::new(&delimiter)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use service_kit::config::{Loaded, load_with};

    use super::*;

    fn load(env: &[(&str, &str)]) -> Result<Config, String> {
        let look_up = |name: &str| {
            let found = env.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        match load_with("hotdeal", "", [OsString::from("hotdeal")], look_up) {
            Ok(Loaded::Run(config)) => Ok(config),
            Ok(Loaded::Done) => panic!("nobody asked for a check"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn without_any_setting_everything_is_in_files_and_there_is_no_gate() {
        let config = load(&[]).unwrap();
        assert!(config.is_on_files());
        assert!(config.product.gate_url().unwrap().is_none());
        assert!(config.product.database_url.expose().ends_with("product.db"));
        assert!(config.order.database_url.expose().ends_with("order.db"));
    }

    #[test]
    fn what_is_set_reaches_both_services() {
        let config = load(&[
            ("HOLD_TTL", "7m"),
            ("ORDER_BATCH_MAX", "9"),
            ("STOCK_BATCH_MAX", "8"),
            ("WORKER_THREADS", "3"),
            ("DATABASE_URL", "postgres://u:pw@localhost/db"),
            ("REDIS_URL", "redis://localhost/"),
        ])
        .unwrap();
        let ttl = Duration::from_secs(420);
        assert_eq!((config.product.hold_ttl, config.order.hold_ttl), (ttl, ttl));
        assert_eq!(config.order.order_batch_max, 9);
        assert_eq!(config.product.stock_batch_max, 8);
        assert_eq!(config.as_ref().worker_threads, 3);
        assert_eq!(config.order.common.worker_threads, 3);
        assert!(config.product.gate_url().unwrap().is_some());
        assert_eq!(config.product.database_url, config.order.database_url);
    }

    #[test]
    fn beyond_loopback_the_missing_token_is_named() {
        for (addr, token) in [
            ("HOTDEAL_HTTP_ADDR", "ADMIN_TOKEN"),
            ("HOTDEAL_GRPC_ADDR", "SERVICE_TOKEN"),
        ] {
            let error = load(&[(addr, "0.0.0.0:1")]).unwrap_err();
            assert!(error.contains(token), "{error}");
            assert!(load(&[(addr, "0.0.0.0:1"), (token, "s3cret")]).is_ok());
        }
    }

    #[test]
    fn beyond_loopback_a_buyer_is_believed_only_if_told_so() {
        let open = [("HOTDEAL_HTTP_ADDR", "0.0.0.0:1"), ("ADMIN_TOKEN", "x")];
        assert!(!load(&open).unwrap().order.is_user_header_trusted());
        let told = [open[0], open[1], ("TRUST_USER_HEADER", "true")];
        assert!(load(&told).unwrap().order.is_user_header_trusted());
    }

    #[test]
    fn addresses_of_the_services_alone_are_no_settings_here() {
        let flags = Config::augment_args(Command::new("hotdeal"));
        let ids: Vec<_> = flags
            .get_arguments()
            .map(|arg| arg.get_id().as_str())
            .collect();
        assert!(LEFT_OUT.iter().all(|id| !ids.contains(id)), "{ids:?}");
        assert!(ids.contains(&"hold_ttl") && ids.contains(&"admin_token"));
    }

    #[test]
    fn another_engine_is_refused_with_the_way_to_have_files() {
        let error = load(&[("DATABASE_URL", "mysql://u:hush@h/db")]).unwrap_err();
        assert!(error.contains("HOTDEAL_DATA_DIR"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}
