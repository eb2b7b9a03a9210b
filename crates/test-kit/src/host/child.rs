//! Child processes that cannot outlive the test process.
//!
//! The kernel signals a child when its parent dies (`setpriv --pdeathsig`), and takes the *thread* that spawned
//! it for the parent. A test's thread ends with its test, so one thread that lives for ever spawns all children.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};

use super::POLL;

/// A command under `setpriv`, which the kernel signals with `death` (such as `KILL`) when this process ends.
pub(crate) fn bound_to_us(death: &str, user: Option<&str>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig").arg(death);
    if let Some(user) = user {
        command
            .arg(format!("--reuid={user}"))
            .arg(format!("--regid={user}"))
            .arg("--clear-groups");
    }
    command.arg("--").arg(program);
    command
}

/// A running child. Killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    log: PathBuf,
    /// What was in the log before.
    log_begin: usize,
}

impl Child {
    /// Starts `command` with its output appended to the file `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log can be opened");
        let errors = output.try_clone().expect("a file handle can be cloned");
        let log_begin = std::fs::read(log).map_or(0, |text| text.len());
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // A Ctrl-C is for us: we end our children, in the order that is theirs.
        command.process_group(0);
        let shown = format!("{command:?}");
        let process =
            spawn(command).unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        Self {
            process,
            log: log.to_owned(),
            log_begin,
        }
    }

    /// The process id; `setpriv` has become the program itself.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, if it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("a child can be waited for")
    }

    /// `kill -9`, and gone when this returns. One that has ended already is left as it is.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Sends `signal` and waits up to 10 s for the end; then it is killed.
    pub(crate) fn end_with(&mut self, signal: &str) {
        if self.exited().is_none() {
            send(signal, self.pid());
        }
        for _ in 0..1000 {
            if self.exited().is_some() {
                return;
            }
            std::thread::sleep(POLL);
        }
        self.kill();
    }

    /// Everything it has written so far.
    pub(crate) fn output(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let own = text.get(self.log_begin..).unwrap_or_default();
        String::from_utf8_lossy(own).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Stops a process where it stands (`SIGSTOP`); it has stopped when this returns.
pub(crate) fn pause(pid: u32) {
    send("STOP", pid);
    let stat = format!("/proc/{pid}/stat");
    for _ in 0..500 {
        // The state follows the name, which stands in parentheses.
        let stopped = std::fs::read_to_string(&stat).map_or(true, |text| text.contains(") T "));
        if stopped {
            return;
        }
        std::thread::sleep(POLL);
    }
    panic!("process {pid} does not stop");
}

/// Sends a signal by its name, such as `TERM`. A process that is gone already is no error.
pub(crate) fn send(signal: &str, pid: u32) {
    let sent = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(pid.to_string())
        .stderr(Stdio::null())
        .status();
    sent.expect("the program kill is installed");
}

/// Spawns on the thread that lives as long as the process.
fn spawn(command: Command) -> io::Result<Process> {
    struct Job {
        command: Command,
        answer: SyncSender<io::Result<Process>>,
    }
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        std::thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                for mut job in jobs {
                    let _ = job.answer.send(job.command.spawn());
                }
            })
            .expect("a thread can be started");
        sender
    });
    let (answer, child) = sync_channel(1);
    spawner
        .send(Job { command, answer })
        .expect("the spawner never ends");
    child.recv().expect("the spawner answers every job")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::scratch;

    fn sleeper(death: &str) -> Child {
        let mut command = bound_to_us(death, None, Path::new("sleep"));
        command.arg("600");
        Child::start(command, &scratch::directory("sleeper").join("log"))
    }

    #[test]
    fn a_child_survives_the_thread_that_asked_for_it() {
        let mut child = std::thread::spawn(|| sleeper("KILL")).join().unwrap();
        assert!(child.exited().is_none());
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let child = sleeper("KILL");
        let proc = PathBuf::from(format!("/proc/{}", child.pid()));
        assert!(proc.exists());
        drop(child);
        assert!(!proc.exists());
    }

    #[test]
    fn a_paused_child_is_stopped_and_can_be_killed() {
        let mut child = sleeper("KILL");
        pause(child.pid());
        child.kill();
        assert!(child.exited().is_some());
    }
}
