//! One process of a service.

use std::net::SocketAddr;

use test_kit::{Http, Port, Process, Program};

/// A process with the ports it holds.
#[derive(Debug)]
pub struct Replica {
    /// The process; dropped, it is killed.
    pub process: Process,
    /// Its HTTP endpoints.
    pub http: Http,
    /// Its ops port.
    pub ops: Http,
    /// Where its HTTP endpoints are.
    pub http_address: SocketAddr,
    /// Where its ops port is.
    pub ops_address: SocketAddr,
    program: Program,
    ready_url: String,
    _ports: Vec<Port>,
}

impl Replica {
    /// Starts `program`, which has been told these ports; `more` is one that it also holds.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(program: Program, http: Port, ops: Port, more: Option<Port>) -> Self {
        let ready_url = format!("{}/health/ready", ops.http_url());
        let process = Process::start(&program).await;
        Self {
            process,
            http: Http::new(http.http_url()),
            ops: Http::new(ops.http_url()),
            http_address: http.address(),
            ops_address: ops.address(),
            program,
            ready_url,
            _ports: [http, ops].into_iter().chain(more).collect(),
        }
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// When it ends before, or is not ready within 60 s.
    pub async fn ready(&self) {
        self.process.wait_ready(&self.ready_url).await;
    }

    /// Starts it again on the same ports, after it was killed or has ended.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn restart(&mut self) {
        self.process = Process::start(&self.program).await;
        self.ready().await;
    }
}
