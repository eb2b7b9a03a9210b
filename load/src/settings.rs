//! What a run is told: flags, or the variables of the same names, which `make` hands on.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};
use service_kit::config::{count, duration};

/// How heavy the load is.
#[derive(Args, Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Load {
    /// Virtual users at once
    #[arg(long, env = "MAX_VUS", value_parser = count, default_value_t = 100)]
    pub max_vus: usize,

    /// Different buyers
    #[arg(long, env = "NUM_USERS", value_parser = count, default_value_t = 100)]
    pub num_users: usize,

    /// From no virtual user to all of them
    #[arg(long, env = "RAMP_DURATION", value_parser = duration, default_value = "5s")]
    #[serde(with = "seconds")]
    pub ramp_duration: Duration,

    /// All of them at once
    #[arg(long, env = "HOLD_DURATION", value_parser = duration, default_value = "20s")]
    #[serde(with = "seconds")]
    pub hold_duration: Duration,

    /// How long a buyer waits for an answer
    #[arg(long, env = "REQUEST_TIMEOUT", value_parser = duration, default_value = "10s")]
    #[serde(with = "seconds")]
    pub request_timeout: Duration,
}

/// Where the load goes.
#[derive(Args, Clone, Debug, Default)]
pub struct Target {
    /// A shop that is up, where buyers reach it; unset: one is started for each run
    #[arg(long, env = "BASE_URL")]
    pub base_url: Option<String>,

    /// Where the operator reaches that shop's product-service; unset: BASE_URL
    #[arg(long, env = "PRODUCT_URL")]
    pub product_url: Option<String>,

    /// That shop's operator's token
    #[arg(long, env = "ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,
}

/// What is left behind.
#[derive(Args, Clone, Debug)]
pub struct Output {
    /// Directory of the results
    #[arg(long, env = "RESULTS_DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/results"))]
    pub results_dir: PathBuf,
}

impl Load {
    /// As the scripts in `k6/` are told.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let millis = |duration: Duration| format!("{}ms", duration.as_millis());
        vec![
            ("MAX_VUS", self.max_vus.to_string()),
            ("NUM_USERS", self.num_users.to_string()),
            ("RAMP_DURATION", millis(self.ramp_duration)),
            ("HOLD_DURATION", millis(self.hold_duration)),
            ("REQUEST_TIMEOUT", millis(self.request_timeout)),
        ]
    }
}

impl Target {
    /// As the scripts in `k6/` are told; nothing if there is no shop yet.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("BASE_URL", &self.base_url),
            ("PRODUCT_URL", &self.product_url),
            ("ADMIN_TOKEN", &self.admin_token),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .collect()
    }
}

/// Durations as seconds, as JSON has no other unit that everybody knows.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        it: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(it.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}
