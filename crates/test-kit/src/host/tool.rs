//! Programs that tests need and `scripts/setup.sh` installs.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The path of `name` in `PATH`.
///
/// # Panics
/// When it is not there.
pub(crate) fn find(name: &str) -> PathBuf {
    in_path(name).unwrap_or_else(|| missing(name))
}

/// The path of a PostgreSQL program: in `PATH`, or where Debian keeps it, the newest version first.
///
/// # Panics
/// When it is not there.
pub(crate) fn find_postgres(name: &str) -> PathBuf {
    in_path(name)
        .or_else(|| in_debian_postgres(name))
        .unwrap_or_else(|| missing(name))
}

/// Says once a process what the tests ran on, past the test harness, which would keep it to itself.
pub(crate) fn announce(program: &Path) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let version = Command::new(program)
        .arg("--version")
        .output()
        .expect("a found program runs");
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    if SAID
        .lock()
        .expect("no holder panics")
        .insert(version.clone())
    {
        let _ = writeln!(std::io::stderr(), "test-kit: ran on {version}");
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

fn in_debian_postgres(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest_first = versions.flatten().filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let program = version.path().join("bin").join(name);
        program.is_file().then_some((number, program))
    });
    newest_first.max().map(|(_, program)| program)
}

fn missing(name: &str) -> ! {
    panic!("{name} is not installed: run scripts/setup.sh")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no-such-program is not installed: run scripts/setup.sh")]
    fn a_missing_program_says_how_to_install_it() {
        find("no-such-program");
    }
}
