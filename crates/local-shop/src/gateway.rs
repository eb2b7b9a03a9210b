//! nginx in front of the services, with the repository's own configuration.

use std::{fmt::Write as _, fs, net::SocketAddr};

use test_kit::{Http, Port, Process, Program, scratch_directory};

/// `deploy/gateway`, but for the site, which is this machine.
const FILES: [(&str, &str); 3] = [
    (
        "nginx.conf",
        include_str!("../../../deploy/gateway/nginx.conf"),
    ),
    (
        "routes.conf",
        include_str!("../../../deploy/gateway/routes.conf"),
    ),
    (
        "upstream.conf",
        include_str!("../../../deploy/gateway/upstream.conf"),
    ),
];

/// What nginx would otherwise keep in directories of the system.
const TEMPORARY: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/// A running nginx with two workers. It ends, workers included, when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    /// The master process, whose children are the workers.
    pub process: Process,
    /// The whole shop, as buyers reach it.
    pub http: Http,
    /// Where it listens.
    pub address: SocketAddr,
    _port: Port,
}

impl Gateway {
    /// Starts one on `port` in front of these services, and waits until it answers.
    ///
    /// # Panics
    /// When nginx is not installed or does not take the configuration.
    pub async fn start(port: Port, orders: &[SocketAddr], products: &[SocketAddr]) -> Self {
        let directory = scratch_directory("gateway");
        let site = site(port.address(), orders, products);
        for (name, text) in FILES.into_iter().chain([("site.conf", site.as_str())]) {
            fs::write(directory.join(name), text).expect("a scratch directory is writable");
        }
        let program = Program::installed("nginx")
            .arg("-p")
            .arg(&directory)
            .args(["-e", "stderr", "-c", "nginx.conf"])
            .args(["-g", "daemon off; pid nginx.pid;"])
            // A killed master would leave its workers behind.
            .ended_by("TERM");
        let process = Process::start(&program).await;
        process
            .wait_ready(&format!("{}/health/live", port.http_url()))
            .await;
        Self {
            process,
            http: Http::new(port.http_url()),
            address: port.address(),
            _port: port,
        }
    }
}

/// The site of this machine.
fn site(listen: SocketAddr, orders: &[SocketAddr], products: &[SocketAddr]) -> String {
    let mut text = String::new();
    for name in TEMPORARY {
        let _ = writeln!(text, "{name}_temp_path temporary_{name};");
    }
    for (name, servers) in [("orders", orders), ("products", products)] {
        let _ = writeln!(text, "upstream {name} {{");
        for server in servers {
            let _ = writeln!(text, "    server {server} max_fails=2 fail_timeout=2s;");
        }
        text.push_str("    include upstream.conf;\n}\n");
    }
    let _ = writeln!(text, "server {{\n    listen {listen} reuseport;");
    text.push_str("    include routes.conf;\n}\n");
    text
}
