//! Measurements inside of product-service: of its gate and its ledger alone, without processes and wires
//! between. They are its own bench targets, since nothing here may know a service from inside; this is what
//! starts them, and what they are made of.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use clap::Parser;
use local_shop::Profile;
use serde_json::Value;
use service_kit::{
    config::{Common, duration},
    out, telemetry,
};
use tokio::process::Command;

use crate::{load::Window, results::Sample, setting::Setting};

/// What a bench target is told.
#[derive(Debug, Clone, Parser)]
pub struct Task {
    /// Redis for the gate, Postgres for the ledger
    #[arg(long)]
    pub url: String,

    /// Callers at once
    #[arg(long)]
    pub callers: usize,

    /// Requests done together; 1 does them one by one
    #[arg(long)]
    pub batch_max: usize,

    /// Load before the measurement
    #[arg(long, value_parser = duration)]
    pub warm_up: Duration,

    /// The measurement
    #[arg(long, value_parser = duration)]
    pub measured: Duration,

    /// What cargo adds
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Task {
    /// When load is put on, and which part counts.
    pub fn window(&self) -> Window {
        Window {
            warm_up: self.warm_up,
            measured: self.measured,
        }
    }
}

/// What the `main` of a bench target does: measures once and writes the sample to stdout. Metrics are
/// recorded as in the service, which is part of the cost.
pub fn main(measure: impl AsyncFnOnce(Task) -> crate::Result<Sample>) -> ExitCode {
    let task = Task::parse();
    let common = Common {
        log: "error".to_owned(),
        ..Common::default()
    };
    let _telemetry = telemetry::init(&common, "bench").unwrap_or_else(|error| out::refuse(error));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| out::refuse(error));
    let measured = runtime.block_on(measure(task));
    match measured.and_then(|sample| Ok(serde_json::to_string(&sample)?)) {
        Ok(text) => {
            out::line(text);
            ExitCode::SUCCESS
        }
        Err(error) => out::refuse(error),
    }
}

/// A bench target of product-service, built.
#[derive(Debug, Clone)]
pub struct Target(PathBuf);

impl Target {
    /// Builds the target `name`, if it is not up to date.
    ///
    /// # Errors
    /// With cargo's words, when it cannot be built.
    pub async fn build(name: &str, setting: &Setting) -> crate::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["bench", "--no-run", "--locked", "--quiet"])
            // Of the workspace, whose tests have built the same pieces with the same features.
            .args(["--workspace", "--bench", name])
            // Beside this program, so that nothing is compiled twice.
            .arg("--target-dir")
            .arg(target_dir(&setting.bench)?)
            .args(["--message-format", "json", "--profile"])
            .arg(match setting.profile {
                Profile::Own if cfg!(debug_assertions) => "dev",
                _ => "release",
            });
        let output = command.stdin(Stdio::null()).output().await?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the bench target {name} cannot be built:\n{words}").into());
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let executable = messages.lines().find_map(|line| executable(line, name));
        Ok(Self(executable.ok_or("cargo names no executable")?))
    }

    /// One measurement.
    ///
    /// # Errors
    /// With its words, when it fails.
    pub async fn measure(
        &self,
        url: &str,
        callers: usize,
        batch_max: usize,
        window: Window,
    ) -> crate::Result<Sample> {
        let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
        let args: [OsString; 10] = [
            "--url".into(),
            url.into(),
            "--callers".into(),
            callers.to_string().into(),
            "--batch-max".into(),
            batch_max.to_string().into(),
            "--warm-up".into(),
            milliseconds(window.warm_up).into(),
            "--measured".into(),
            milliseconds(window.measured).into(),
        ];
        let output = Command::new(&self.0)
            .args(args)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {words}", self.0.display()).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().last().unwrap_or_default();
        Ok(serde_json::from_str(line)?)
    }
}

/// `target`, of `target/release/bench`.
fn target_dir(bench: &Path) -> crate::Result<&Path> {
    let profile = bench.parent().and_then(Path::parent);
    profile.ok_or_else(|| "this program stands in no directory of cargo".into())
}

/// The bench target's executable, if the message is about it; a package's programs are built beside it.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let target = &message["target"];
    let is_it = target["name"] == name && target["kind"][0] == "bench";
    let path = message["executable"].as_str().filter(|_| is_it)?;
    Some(Path::new(path).to_owned())
}
