//! Servers that do nothing but what every server must, to hold the shop against: the same layers, the same
//! messages, the same runtime settings, each a process of its own.
//!
//! - [`grpc`]: `DecreaseStock` that answers a constant.
//! - [`http`]: `POST /orders` that decodes, validates, knows the buyer, and answers a constant refusal.
//! - [`Noop`]: one of them as a process.

pub mod grpc;
pub mod http;

use std::net::SocketAddr;

use local_shop::Component;
use test_kit::{Port, Process, Program};

use crate::setting::Setting;

/// A running server that does nothing.
#[derive(Debug)]
pub struct Noop {
    process: Process,
    port: Port,
    _ops: Port,
}

impl Noop {
    /// Starts `bench noop-grpc` and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn grpc(setting: &Setting) -> Self {
        Self::start(setting, "noop-grpc").await
    }

    /// Starts `bench noop-http` and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn http(setting: &Setting) -> Self {
        Self::start(setting, "noop-http").await
    }

    async fn start(setting: &Setting, role: &'static str) -> Self {
        let (port, ops) = (Port::free(), Port::free());
        let program = Program::at(&setting.bench)
            .arg(role)
            .env("NOOP_ADDR", port.address().to_string())
            .env("NOOP_OPS_ADDR", ops.address().to_string());
        let process = Process::start(&program).await;
        let ready_url = format!("{}/health/ready", ops.http_url());
        process.wait_ready(&ready_url).await;
        Self {
            process,
            port,
            _ops: ops,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        self.port.http_url()
    }

    /// Its process, to be measured.
    pub fn components(&self) -> Vec<Component> {
        vec![Component::new("noop", [self.process.pid()])]
    }
}

/// The settings of both: those of every service, and where to listen.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Listens for what is measured
    #[arg(long, env = "NOOP_ADDR")]
    pub noop_addr: SocketAddr,

    /// Answers /health/live, /health/ready and /metrics
    #[arg(long, env = "NOOP_OPS_ADDR")]
    pub noop_ops_addr: SocketAddr,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help")]
    pub common: service_kit::config::Common,
}

impl AsRef<service_kit::config::Common> for Config {
    fn as_ref(&self) -> &service_kit::config::Common {
        &self.common
    }
}

impl service_kit::config::Settings for Config {
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}
