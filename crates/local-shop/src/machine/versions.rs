//! Versions of what took part.

use std::{path::Path, process::Command};

use serde::{Deserialize, Serialize};
use test_kit::Program;

/// What the programs say of themselves. One that is not installed says nothing.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Versions {
    /// The compiler.
    pub rustc: String,
    /// The database.
    pub postgres: String,
    /// The gate's server.
    pub redis: String,
    /// The gateway.
    pub nginx: String,
}

/// What this repository was.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Revision {
    /// The commit.
    pub commit: String,
    /// Whether tracked files differed from it.
    pub is_dirty: bool,
}

impl Versions {
    pub(super) fn read() -> Self {
        let postgres = Program::of_postgres("postgres");
        Self {
            rustc: said("rustc".as_ref(), &["--version"]),
            postgres: said(postgres.path(), &["--version"]),
            redis: of_installed("redis-server", "--version"),
            nginx: of_installed("nginx", "-v"),
        }
    }
}

impl Revision {
    pub(super) fn read() -> Self {
        let changes = said(
            "git".as_ref(),
            &["status", "--porcelain", "--untracked-files=no"],
        );
        Self {
            commit: said("git".as_ref(), &["rev-parse", "HEAD"]),
            is_dirty: !changes.is_empty(),
        }
    }
}

fn of_installed(name: &str, flag: &str) -> String {
    let program = Program::if_installed(name);
    program.map_or_else(String::new, |program| said(program.path(), &[flag]))
}

/// What `program` says on either of its outputs, asked in this repository.
fn said(program: &Path, args: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    let Ok(output) = command.output() else {
        return String::new();
    };
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}
