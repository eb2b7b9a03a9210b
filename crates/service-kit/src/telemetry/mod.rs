//! Logs and metrics of the process. `of_request`: what a line says about the request it belongs to.

mod of_request;

use std::{
    io::{self, IsTerminal as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use self::of_request::OfRequest;
use crate::config::{Common, LogFormat};

/// Upper bounds of every histogram whose name ends in `_seconds`: 50 µs to 10 s.
pub const SECONDS_BUCKETS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// Upper bounds of every histogram whose name ends in `_len`: powers of two, 1 to 4096.
pub const LEN_BUCKETS: &[f64] = &[
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0,
];

/// How often histograms are drained when nobody scrapes them; without that they grow.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// A process has one recorder, however many services run in it.
static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// The metrics of this process.
#[derive(Debug, Clone)]
pub struct Telemetry {
    metrics: PrometheusHandle,
}

/// Why telemetry could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `LOG` is no filter.
    #[error("LOG: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Another recorder is installed already, or the buckets are wrong.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Installs the log format and the metrics recorder. A second call in one process (several services,
/// or tests) keeps the first one's.
///
/// # Errors
/// When `LOG` is no filter or somebody else has installed a recorder.
pub fn init(common: &Common, service: &'static str) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::builder().parse(&common.log)?;
    // Colours are for eyes: in a file or a pipe they are noise.
    let has_colours = io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colours)
        .with_writer(io::stderr);
    // It fails only when a subscriber is installed already, which stays.
    let _ = match common.log_format {
        LogFormat::Human => logs.event_format(OfRequest::human(has_colours)).try_init(),
        LogFormat::Json => logs.json().event_format(OfRequest::json()).try_init(),
    };
    let metrics = recorder()?;
    tracing::debug!(
        service,
        version = env!("CARGO_PKG_VERSION"),
        "telemetry installed"
    );
    Ok(Telemetry { metrics })
}

impl Telemetry {
    /// Renders the metrics and drains the histograms.
    pub fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }

    /// Drains the histograms every 5 s until `stop`, so that they do not grow when nobody scrapes.
    ///
    /// Must be called inside a tokio runtime.
    pub fn spawn_upkeep(&self, stop: CancellationToken) {
        let metrics = self.metrics();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                tokio::time::sleep(UPKEEP_INTERVAL).await;
                metrics.run_upkeep();
            }
        }));
    }
}

fn recorder() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let mut installed = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_len".to_owned()), LEN_BUCKETS)?
        .install_recorder()?;
    crate::metrics::describe();
    *installed = Some(handle.clone());
    Ok(handle)
}
