//! Which binary to run, and with what.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::host::{blocking, tool};

/// Set by `make test`: `cargo test --workspace` has just built the binaries, and leaves no list of their
/// sources beside them.
const TRUST: &str = "TEST_KIT_TRUSTS_BINARIES";

/// How a binary of the workspace is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// As the program that asks for it was.
    #[default]
    Own,
    /// Optimised, as it is deployed.
    Release,
}

/// A binary with its environment and arguments.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) env: BTreeMap<OsString, OsString>,
    pub(crate) args: Vec<OsString>,
    pub(crate) end_signal: &'static str,
    pub(crate) log: Option<PathBuf>,
}

impl Program {
    /// The binary at `path`; for one of the test's own package that is `env!("CARGO_BIN_EXE_name")`.
    ///
    /// # Panics
    /// When `path` has no file name.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path
            .file_name()
            .expect("a program has a name")
            .to_string_lossy()
            .into_owned();
        Self {
            name,
            path,
            env: BTreeMap::new(),
            args: Vec::new(),
            end_signal: "KILL",
            log: None,
        }
    }

    /// A program that `scripts/setup.sh` installs, such as `nginx`.
    ///
    /// # Panics
    /// When it is not there.
    pub fn installed(name: &str) -> Self {
        Self::at(tool::find(name))
    }

    /// A program of PostgreSQL, such as `pgbench`, wherever Debian keeps it.
    ///
    /// # Panics
    /// When it is not there.
    pub fn of_postgres(name: &str) -> Self {
        Self::at(tool::find_postgres(name))
    }

    /// A program of this machine, if there is one of that name.
    pub fn if_installed(name: &str) -> Option<Self> {
        tool::look_for(name).map(Self::at)
    }

    /// The binary `name` of the workspace's package of the same name, as its sources stand now: the one beside the
    /// test's own executable, built first if it is missing or older than a source.
    ///
    /// # Panics
    /// When it cannot be built.
    pub async fn of_workspace(name: &'static str) -> Self {
        Self::compiled(name, Profile::Own).await
    }

    /// The same, compiled as `profile` says.
    ///
    /// # Panics
    /// When it cannot be built.
    pub async fn compiled(name: &'static str, profile: Profile) -> Self {
        Self::at(blocking(move || up_to_date(name, profile)).await)
    }

    /// The signal, such as `TERM`, that ends the process when it is dropped or we die, instead of `KILL`: for a
    /// server with processes of its own, which would be left behind. It has 10 s, then it is killed.
    #[must_use]
    pub fn ended_by(mut self, signal: &'static str) -> Self {
        self.end_signal = signal;
        self
    }

    /// The file that what it writes is appended to, instead of one that goes with us.
    #[must_use]
    pub fn logs_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.log = Some(file.into());
        self
    }

    /// Where the binary is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets an environment variable. A process gets these and `PATH` and `HOME`, nothing else.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets several environment variables.
    #[must_use]
    pub fn envs<N: Into<OsString>, V: Into<OsString>>(
        self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let set = |program: Self, (name, value)| program.env(name, value);
        variables.into_iter().fold(self, set)
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args(self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }
}

/// Builds at most once a process and binary. The lock is held meanwhile: others want the same binary.
fn up_to_date(name: &'static str, profile: Profile) -> PathBuf {
    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let own = own_profile_directory();
    let directory = match profile {
        Profile::Own => own.clone(),
        Profile::Release => outer_directory(&own).join("release"),
    };
    let binary = directory.join(name);
    // `cargo test --workspace` has just built it; building it alone would choose other features for its
    // dependencies and compile them a second time.
    let is_trusted = directory == own && std::env::var_os(TRUST).is_some() && binary.exists();
    if !seen.contains(&binary) && !is_trusted && !is_fresh(&binary, workspace()) {
        build(name, &directory);
    }
    seen.insert(binary.clone());
    binary
}

/// `target/debug` or `target/release`: a binary stands there, a test or a bench in `deps` below.
fn own_profile_directory() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows its own path");
    let directory = own.parent().expect("a program is in a directory");
    match directory.ends_with("deps") {
        true => outer_directory(directory),
        false => directory.to_owned(),
    }
}

/// The directory above: a profile's of `deps`, the target directory of a profile's.
fn outer_directory(inner: &Path) -> PathBuf {
    let outer = inner.parent();
    outer
        .expect("cargo's directories stand in its target directory")
        .to_owned()
}

fn build(name: &str, profile: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace());
    command.args([
        "build",
        "--locked",
        "--quiet",
        "--package",
        name,
        "--bin",
        name,
    ]);
    command.arg("--target-dir").arg(outer_directory(profile));
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let output = command.output().expect("cargo can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} cannot be built:\n{errors}");
}

/// The workspace whose tests these are.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate stands two levels deep")
}

/// True if the binary was made from `workspace` and no source is younger. cargo lists them beside it:
/// `target/debug/name: src/main.rs …`.
fn is_fresh(binary: &Path, workspace: &Path) -> bool {
    let (Some(built), Ok(listing)) = (
        modified(binary),
        std::fs::read_to_string(binary.with_extension("d")),
    ) else {
        return false;
    };
    let sources = listing
        .lines()
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(_, sources)| files(sources));
    let sources: Vec<PathBuf> = sources.collect();
    // Two checkouts may share a target directory: the binary may be the other one's.
    sources.iter().any(|source| source.starts_with(workspace))
        && sources
            .iter()
            .all(|source| modified(source).is_some_and(|changed| changed <= built))
}

/// Blanks part the files; one inside a name follows a backslash.
fn files(sources: &str) -> impl Iterator<Item = PathBuf> {
    let hidden = sources.replace("\\ ", "\0");
    let names: Vec<String> = hidden
        .split_whitespace()
        .map(|name| name.replace('\0', " "))
        .collect();
    names.into_iter().map(PathBuf::from)
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    fn is_fresh_in(directory: &Path) -> bool {
        is_fresh(&directory.join("program"), directory)
    }

    fn binary_and_source(source_changed: SystemTime, built: SystemTime) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let (source, binary) = (
            directory.path().join("main file.rs"),
            directory.path().join("program"),
        );
        File::create(&source)
            .unwrap()
            .set_modified(source_changed)
            .unwrap();
        File::create(&binary).unwrap().set_modified(built).unwrap();
        let escaped = source.to_str().unwrap().replace(' ', "\\ ");
        std::fs::write(
            binary.with_extension("d"),
            format!("{}: {escaped}\n", binary.display()),
        )
        .unwrap();
        directory
    }

    #[test]
    fn a_binary_older_than_a_source_is_not_fresh() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let later = then + Duration::from_secs(1);
        assert!(is_fresh_in(binary_and_source(then, later).path()));
        assert!(!is_fresh_in(binary_and_source(later, then).path()));
    }

    #[test]
    fn a_missing_binary_is_not_fresh() {
        assert!(!is_fresh_in(Path::new("/nonexistent")));
    }

    #[test]
    fn a_binary_of_another_checkout_is_not_fresh() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let directory = binary_and_source(then, then);
        assert!(!is_fresh(
            &directory.path().join("program"),
            Path::new("/elsewhere")
        ));
    }
}
