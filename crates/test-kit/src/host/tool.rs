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
    look_for(name).unwrap_or_else(|| missing(name))
}

/// The path of `name` in `PATH`, or where Debian keeps servers, which not every user has in it.
pub(crate) fn look_for(name: &str) -> Option<PathBuf> {
    let in_sbin = || Some(Path::new("/usr/sbin").join(name)).filter(|program| program.is_file());
    in_path(name).or_else(in_sbin)
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

/// Says once a process what the tests ran on (`PostgreSQL 15.18`), past the test harness, which would keep it to
/// itself. `scripts/test.sh` looks for these words.
pub(crate) fn announce(name: &'static str, program: &Path) {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    if !SAID.lock().expect("no holder panics").insert(name) {
        return;
    }
    let output = Command::new(program)
        .arg("--version")
        .output()
        .expect("a found program runs");
    let version = version(&String::from_utf8_lossy(&output.stdout));
    let _ = std::io::stderr().write_all(format!("test-kit: ran on {name} {version}\n").as_bytes());
}

/// The first word that is a number: `Redis server v=7.0.15 sha=…`, `postgres (PostgreSQL) 15.18 (Debian …)`.
fn version(text: &str) -> String {
    let words = text
        .split_whitespace()
        .map(|word| word.trim_start_matches("v="));
    let number = words
        .into_iter()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    number.unwrap_or("of an unknown version").to_owned()
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
    fn versions_are_read_out_of_what_the_programs_say() {
        assert_eq!(
            version("Redis server v=7.0.15 sha=00000000:0 bits=64"),
            "7.0.15"
        );
        assert_eq!(
            version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            "15.18"
        );
    }

    #[test]
    #[should_panic(expected = "no-such-program is not installed: run scripts/setup.sh")]
    fn a_missing_program_says_how_to_install_it() {
        find("no-such-program");
    }
}
