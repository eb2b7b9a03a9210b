//! A workspace's own binary as a process: started, waited for, stopped, killed.

use std::io::Write;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::eventually;
use crate::host::POLL;
use crate::host::child::{self, Child};
use crate::host::scratch;
use crate::program::Program;

/// How long a service may take to become ready on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// A running process. It is killed (or ended as [`Program::ended_by`] says) when it is dropped, and with the test
/// process at the latest; if the test fails, what it has written is shown.
#[derive(Debug)]
pub struct Process {
    name: String,
    end_signal: &'static str,
    child: Mutex<Child>,
}

impl Process {
    /// Starts `program` with nothing of our environment but `PATH`, `HOME` and the program's own variables.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(program: &Program) -> Self {
        let program = program.clone();
        crate::host::blocking(move || {
            let mut command = child::bound_to_us(program.end_signal, None, &program.path);
            // A DATABASE_URL of the developer's shell must not reach a test.
            command
                .env_clear()
                .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"));
            command.envs(&program.env).args(&program.args);
            let own_log = || scratch::directory(&program.name).join("log");
            let log = program.log.clone().unwrap_or_else(own_log);
            let child = Mutex::new(Child::start(command, &log));
            Self {
                name: program.name,
                end_signal: program.end_signal,
                child,
            }
        })
        .await
    }

    /// Waits until `url` answers `200`, such as the ops port's `/health/ready`.
    ///
    /// # Panics
    /// With the process's output, when it ends before or is not ready within 60 s.
    pub async fn wait_ready(&self, url: &str) {
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a plain client can be built");
        eventually(
            READY_TIMEOUT,
            &format!("{} is ready at {url}", self.name),
            async || {
                if let Some(status) = self.exited() {
                    panic!("{} ended with {status} before it was ready", self.name);
                }
                let answer = client.get(url).timeout(Duration::from_secs(1)).send().await;
                answer.is_ok_and(|response| response.status() == 200)
            },
        )
        .await;
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child().pid()
    }

    /// `kill -9`: gone when this returns.
    pub fn kill9(&self) {
        self.child().kill();
    }

    /// Asks it to end in order (`SIGTERM`).
    pub fn terminate(&self) {
        child::send("TERM", self.pid());
    }

    /// Asks it to end in order and waits for that; after `timeout` it is killed.
    pub async fn end(&self, timeout: Duration) {
        self.terminate();
        let deadline = Instant::now() + timeout;
        while self.exited().is_none() {
            if Instant::now() >= deadline {
                return self.kill9();
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it has not ended within `timeout`.
    pub async fn wait(&self, timeout: Duration) -> ExitStatus {
        eventually(timeout, &format!("{} ends", self.name), async || {
            self.exited()
        })
        .await
    }

    /// How it ended, if it has.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.child().exited()
    }

    /// Stops it where it stands (`SIGSTOP`): connections stay open and nothing answers.
    pub fn pause(&self) {
        child::pause(self.pid());
    }

    /// Lets a paused process go on.
    pub fn resume(&self) {
        child::send("CONT", self.pid());
    }

    /// What it has written to stdout and stderr so far.
    pub fn output(&self) -> String {
        self.child().output()
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end_signal != "KILL" {
            self.child().end_with(self.end_signal);
        }
        if std::thread::panicking() {
            // Marked line by line: a test may have several processes, and theirs must not look like its own lines.
            let marked = |line: &str| format!("{}| {line}\n", self.name);
            let output: String = self.output().lines().map(marked).collect();
            let _ = std::io::stderr().write_all(output.as_bytes());
        }
    }
}
