//! Prometheus, which watches the services and knows what is worth an alert.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use test_kit::{Port, Process, Program, scratch_directory};

const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");

/// A running Prometheus with the repository's alerts.
#[derive(Debug)]
pub struct Prometheus {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    _port: Port,
}

impl Prometheus {
    /// Starts one that asks these ops ports; `None` if this machine has none. What it has seen stays in `kept_in`.
    ///
    /// # Panics
    /// When it does not take its configuration.
    pub async fn start_if_installed(
        port: Port,
        orders: &[SocketAddr],
        products: &[SocketAddr],
        kept_in: Option<&Path>,
    ) -> Option<Self> {
        let program = Program::if_installed("prometheus")?;
        let directory = match kept_in {
            Some(kept_in) => kept_in.join("prometheus"),
            None => scratch_directory("prometheus"),
        };
        let config = write(&directory, orders, products);
        let program = program
            .arg("--config.file")
            .arg(config)
            .arg("--storage.tsdb.path")
            .arg(directory.join("data"))
            .arg("--web.listen-address")
            .arg(port.address().to_string())
            .args(["--log.level", "warn"])
            .logs_to(directory.join("log"))
            // It writes what it has in memory.
            .ended_by("TERM");
        let process = Process::start(&program).await;
        process
            .wait_ready(&format!("{}/-/ready", port.http_url()))
            .await;
        Some(Self {
            process,
            address: port.address(),
            _port: port,
        })
    }
}

/// Writes the configuration and the alerts; answers where the first is.
fn write(directory: &Path, orders: &[SocketAddr], products: &[SocketAddr]) -> PathBuf {
    let path = directory.join("prometheus.yml");
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(directory.join("alerts.yml"), ALERTS))
        .and_then(|()| fs::write(&path, config(orders, products)))
        .expect("the directory is ours");
    path
}

/// As `deploy/prometheus/prometheus.yml`, for the replicas on this machine.
fn config(orders: &[SocketAddr], products: &[SocketAddr]) -> String {
    let mut text = "\
global:
  scrape_interval: 5s
  evaluation_interval: 15s
rule_files:
  - alerts.yml
scrape_configs:
"
    .to_owned();
    for (job, targets) in [("product-service", products), ("order-service", orders)] {
        let quoted: Vec<String> = targets.iter().map(|it| format!("\"{it}\"")).collect();
        let _ = writeln!(text, "  - job_name: {job}\n    static_configs:");
        let _ = writeln!(text, "      - targets: [{}]", quoted.join(", "));
    }
    text
}
