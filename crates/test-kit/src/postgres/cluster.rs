//! One cluster: its directory, its processes, its port.
//!
//! PostgreSQL refuses to run as root, so as root it is run by user `postgres`. When the test process dies the
//! kernel sends `SIGQUIT`: an immediate shutdown, which unlike a kill gives the shared memory back.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::certs::Certificate;
use crate::host::child::{self, Child};
use crate::host::{POLL, port::Port, scratch, tool, uid};

/// What must survive a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Nothing: the cluster dies with the tests.
    None,
    /// Every answered commit.
    Full,
}

/// A cluster that can be started and ended any number of times.
#[derive(Debug)]
pub(super) struct Cluster {
    directory: PathBuf,
    port: Port,
    durability: Durability,
    is_tls: bool,
    is_kept: bool,
    settings: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Cluster {
    /// Makes a cluster, not yet running.
    pub(super) fn new(durability: Durability) -> Self {
        Self::with(scratch::directory("postgres"), durability, false)
    }

    /// The durable cluster in `directory`, made if it is not there, not yet running. It stays when this is dropped.
    /// Where its user cannot enter, the cluster is in `/var/tmp`, under the same name with other strokes.
    pub(super) fn kept_in(directory: &Path) -> Self {
        std::fs::create_dir_all(directory)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", directory.display()));
        if can_enter(directory) {
            return Self::with(directory.to_owned(), Durability::Full, true);
        }
        let name = directory.display().to_string().replace('/', "-");
        let elsewhere = Path::new("/var/tmp").join(format!("hotdeal{name}"));
        std::fs::create_dir_all(&elsewhere)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", elsewhere.display()));
        Self::with(elsewhere, Durability::Full, true)
    }

    fn with(directory: PathBuf, durability: Durability, is_kept: bool) -> Self {
        tool::announce("PostgreSQL", &tool::find_postgres("postgres"));
        let cluster = Self {
            directory,
            port: Port::free(),
            durability,
            is_tls: false,
            is_kept,
            settings: Vec::new(),
            child: Mutex::new(None),
        };
        if !cluster.data().join("PG_VERSION").exists() {
            cluster.init();
        }
        cluster
    }

    /// From its next start on the server also has these settings, such as `max_wal_size=4GB`; they win.
    pub(super) fn set(&mut self, settings: Vec<String>) {
        self.settings = settings;
    }

    /// From its next start on the server also speaks TLS. It takes only a key that is its own user's.
    pub(super) fn speak_tls(&mut self, certificate: &Certificate) {
        for (from, to) in [
            (&certificate.cert_file, "server.crt"),
            (&certificate.key_file, "server.key"),
        ] {
            let mut install = Command::new("install");
            install.args(["-m", "600"]);
            if let Some(user) = server_user() {
                install.args(["-o", user, "-g", user]);
            }
            install.arg(from).arg(self.data().join(to));
            run(install, "a copy of the certificate");
        }
        self.is_tls = true;
    }

    /// Starts the server and waits until it takes connections.
    pub(super) fn start(&self) {
        let mut child = Child::start(self.server(), &self.directory.join("log"));
        self.wait_ready(&mut child);
        *self.child() = Some(child);
    }

    /// Kills the postmaster, then the backends, which would otherwise go on until they notice.
    pub(super) fn kill(&self) {
        let Some(mut postmaster) = self.child().take() else {
            return;
        };
        let pid = postmaster.pid();
        let backends =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        postmaster.kill();
        let backends: Vec<u32> = backends
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect();
        for backend in &backends {
            child::send("KILL", *backend);
        }
        wait_until_gone(&backends);
    }

    /// Ends the server by `signal`: `INT` writes the data, `QUIT` leaves it to recovery.
    pub(super) fn stop(&self, signal: &str) {
        if let Some(mut postmaster) = self.child().take() {
            postmaster.end_with(signal);
        }
    }

    /// Where its data and its log are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The process id of the postmaster.
    pub(super) fn pid(&self) -> u32 {
        self.child().as_ref().expect("the server runs").pid()
    }

    /// The URL of one of its databases.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.port.address())
    }

    fn init(&self) {
        let data = self.data();
        if let Some(user) = server_user() {
            let mut install = Command::new("install");
            install
                .args(["-d", "-m", "700", "-o", user, "-g", user])
                .arg(&data);
            run(
                install,
                "a directory for user postgres (run scripts/setup.sh if there is no such user)",
            );
        }
        let mut initdb = child::bound_to_us("KILL", server_user(), &tool::find_postgres("initdb"));
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
            "-D",
        ]);
        initdb.arg(&data).current_dir(&self.directory);
        if !self.is_kept {
            initdb.arg("--no-sync");
        }
        run(initdb, "initdb");
    }

    fn server(&self) -> Command {
        let mut command =
            child::bound_to_us("QUIT", server_user(), &tool::find_postgres("postgres"));
        command
            .arg("-D")
            .arg(self.data())
            .current_dir(&self.directory);
        let port = format!("port={}", self.port.number());
        // Sockets in the file system would need a directory that both users may write to.
        let always = [
            &port,
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
        ];
        let durability: &[&str] = match self.durability {
            Durability::None => &["fsync=off", "full_page_writes=off"],
            Durability::Full => &["fsync=on", "synchronous_commit=on"],
        };
        let tls: &[&str] = if self.is_tls { &["ssl=on"] } else { &[] };
        for setting in always.iter().chain(durability).chain(tls) {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command
    }

    /// The server writes its process id and its state into `postmaster.pid`; a line of a killed one has another id.
    fn wait_ready(&self, child: &mut Child) {
        let state = self.data().join("postmaster.pid");
        let own = child.pid().to_string();
        for _ in 0..6000 {
            if let Some(status) = child.exited() {
                panic!("postgres ended with {status}:\n{}", child.output());
            }
            let text = std::fs::read_to_string(&state).unwrap_or_default();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            if lines.first() == Some(&own.as_str()) && lines.get(7) == Some(&"ready") {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!("postgres is not ready within 60 s:\n{}", child.output());
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop("QUIT");
        if !self.is_kept {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// The user that runs the server, if it cannot be ourselves.
fn server_user() -> Option<&'static str> {
    (uid() == 0).then_some("postgres")
}

/// Whether the server's user may enter `directory`.
fn can_enter(directory: &Path) -> bool {
    let mut test = child::bound_to_us("KILL", server_user(), Path::new("test"));
    let status = test.arg("-x").arg(directory).status();
    status.is_ok_and(|status| status.success())
}

fn run(mut command: Command, what: &str) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} failed: {errors}");
}

/// Orphans are taken over by another process, which may be slow to bury them; a zombie holds nothing any more.
fn wait_until_gone(pids: &[u32]) {
    let lives = |pid: &u32| {
        let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
        stat.is_ok_and(|text| !text.contains(") Z "))
    };
    for _ in 0..1000 {
        if !pids.iter().any(lives) {
            return;
        }
        std::thread::sleep(POLL);
    }
    panic!("backends outlive their server: {pids:?}");
}
