//! A Redis of one's own.
//!
//! Every [`Redis::start`] is a new, empty server without persistence, on a port that stays its own while it is
//! down. It ends when it is dropped, and with the test process at the latest.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client};

use crate::certs::Certificate;
use crate::host::child::{self, Child};
use crate::host::{POLL, blocking, port::Port, scratch, tool};

/// How long an assertion waits for an answer: a busy machine is not a failed test.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A running (or killed) private redis-server.
#[derive(Debug)]
pub struct Redis {
    server: Arc<Server>,
    tls_port: Option<Port>,
}

impl Redis {
    /// Starts an empty server that writes nothing to disk.
    ///
    /// # Panics
    /// When redis-server is not installed or does not start.
    pub async fn start() -> Self {
        Self::with_args(&[]).await
    }

    /// Starts a server with further arguments, such as `["--appendonly", "yes"]`; they win over the defaults.
    ///
    /// # Panics
    /// When redis-server is not installed or does not start.
    pub async fn with_args(args: &[&str]) -> Self {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let server = blocking(|| {
            let server = Server::new(args);
            server.start();
            server
        });
        Self {
            server: Arc::new(server.await),
            tls_port: None,
        }
    }

    /// Starts an empty server that also speaks TLS, with `certificate`, on a second port.
    ///
    /// # Panics
    /// When redis-server is not installed, was built without TLS, or does not start.
    pub async fn with_tls(certificate: &Certificate) -> Self {
        let tls_port = Port::free();
        let number = tls_port.number().to_string();
        let mut redis = Self::with_args(&[
            "--tls-port",
            &number,
            "--tls-cert-file",
            &certificate.cert_file.display().to_string(),
            "--tls-key-file",
            &certificate.key_file.display().to_string(),
            "--tls-auth-clients",
            "no",
        ])
        .await;
        redis.tls_port = Some(tls_port);
        redis
    }

    /// The server's URL on its port with TLS.
    ///
    /// # Panics
    /// When it was not started by [`Redis::with_tls`].
    pub fn tls_url(&self) -> String {
        let port = self.tls_port.as_ref().expect("the server speaks TLS");
        format!("rediss://{}/", port.address())
    }

    /// The server's URL, the same after a restart.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.server.port.address())
    }

    /// The server's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port.number()
    }

    /// The server's process id.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Ends it in order: what it keeps is on disk afterwards. Stopping a dead server changes nothing.
    pub async fn stop(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || {
            if let Some(mut child) = server.child().take() {
                child.end_with("TERM");
            }
        })
        .await;
    }

    /// `kill -9`: gone when this returns, with whatever was not on disk. Killing a dead server changes nothing.
    pub fn kill9(&self) {
        self.server.child().take();
    }

    /// Starts again at the same port without any data. A server that still runs is killed first.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart_empty(&self) {
        self.kill9();
        let server = Arc::clone(&self.server);
        blocking(move || {
            server.remove_data();
            server.start();
        })
        .await;
    }

    /// Starts again at the same port with what is on disk. A server that still runs is killed first.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&self) {
        self.kill9();
        let server = Arc::clone(&self.server);
        blocking(move || server.start()).await;
    }

    /// Stops the server where it stands (`SIGSTOP`): connections stay open and nothing answers.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn pause(&self) {
        child::pause(self.server.pid());
    }

    /// Lets a paused server go on.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn resume(&self) {
        child::send("CONT", self.server.pid());
    }

    /// A client of this server.
    ///
    /// # Panics
    /// Never: the URL is well-formed.
    pub fn client(&self) -> Client {
        Client::open(self.url()).expect("the server's own URL is well-formed")
    }

    /// A connection for assertions, patient for 10 s.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn connection(&self) -> MultiplexedConnection {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let connection = self
            .client()
            .get_multiplexed_async_connection_with_config(&config)
            .await;
        connection.expect("the private redis-server accepts connections")
    }

    /// How often the server ran `command` (such as `evalsha`) since its start, by `INFO commandstats`. A command
    /// called inside a script counts as its own too.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn command_calls(&self, command: &str) -> u64 {
        self.command_stats(command).await.calls
    }

    /// The same with the time it took.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn command_stats(&self, command: &str) -> CommandStats {
        let mut connection = self.connection().await;
        let stats: ::redis::RedisResult<String> = ::redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut connection)
            .await;
        command_stats(&stats.expect("INFO answers"), command)
    }
}

/// What a command has cost since the server's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// How often it ran.
    pub calls: u64,
    /// CPU time in microseconds, that of the commands which a script calls included.
    pub usec: u64,
}

/// Reads `cmdstat_evalsha:calls=12,usec=345,…` out of the section; a command that never ran is not listed.
fn command_stats(stats: &str, command: &str) -> CommandStats {
    let prefix = format!("cmdstat_{}:", command.to_lowercase());
    let line = stats.lines().find_map(|line| line.strip_prefix(&prefix));
    let figure = |name: &str| {
        let mut figures = line?.split(',').filter_map(|part| part.split_once('='));
        let (_, value) = figures.find(|(found, _)| *found == name)?;
        value.trim().parse().ok()
    };
    CommandStats {
        calls: figure("calls").unwrap_or(0),
        usec: figure("usec").unwrap_or(0),
    }
}

/// The server itself, shared with the blocking calls that start it.
#[derive(Debug)]
struct Server {
    program: PathBuf,
    port: Port,
    directory: PathBuf,
    args: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Server {
    fn new(args: Vec<String>) -> Self {
        let program = tool::find("redis-server");
        tool::announce("redis-server", &program);
        Self {
            program,
            port: Port::free(),
            directory: scratch::directory("redis"),
            args,
            child: Mutex::new(None),
        }
    }

    fn start(&self) {
        let mut command = child::bound_to_us("KILL", None, &self.program);
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &self.port.number().to_string(),
            "--dir",
        ]);
        command
            .arg(self.data())
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(&self.args);
        std::fs::create_dir_all(self.data()).expect("a scratch directory is writable");
        let mut child = Child::start(command, &self.directory.join("log"));
        self.wait_ready(&mut child);
        *self.child() = Some(child);
    }

    /// Waits until the process itself answers, not another server that has taken its port.
    fn wait_ready(&self, child: &mut Child) {
        let own = format!("process_id:{}", child.pid());
        for _ in 0..3000 {
            if let Some(status) = child.exited() {
                panic!("redis-server ended with {status}:\n{}", child.output());
            }
            if self.answers_with(&own).is_some() {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!(
            "redis-server does not answer within 30 s:\n{}",
            child.output()
        );
    }

    fn answers_with(&self, line: &str) -> Option<()> {
        let mut stream = TcpStream::connect(self.port.address()).ok()?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).ok()?;
        // While it loads its data, `INFO` already answers, but no other command does.
        stream.write_all(b"INFO server\r\nPING\r\nQUIT\r\n").ok()?;
        let answer: Vec<String> = BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .collect();
        (answer.iter().any(|text| text == line) && answer.iter().any(|text| text == "+PONG"))
            .then_some(())
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn remove_data(&self) {
        let _ = std::fs::remove_dir_all(self.data());
    }

    fn pid(&self) -> u32 {
        self.child().as_ref().expect("the server runs").pid()
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child().take();
        // Early, so that a long test run does not fill the disk; what stays behind goes with the run.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_cost_is_read_out_of_commandstats() {
        let stats = "# Commandstats\r\ncmdstat_evalsha:calls=12,usec=3,usec_per_call=0.25\r\ncmdstat_config|get:calls=2,usec=1\r\n";
        let evalsha = CommandStats { calls: 12, usec: 3 };
        assert_eq!(command_stats(stats, "EVALSHA"), evalsha);
        assert_eq!(command_stats(stats, "config|get").calls, 2);
        assert_eq!(command_stats(stats, "get"), CommandStats::default());
    }
}
