//! The command line.

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use domain::{Clock as _, SystemClock};
use local_shop::Profile;
use service_kit::{config::count, out};

use crate::{
    LoadError,
    order_overload::{self, Order},
    report, scenario,
    settings::{Load, Output, Target},
    spike::{self, Crowd},
    table,
};

/// Puts load on the whole shop, and says what came of it
#[derive(Debug, Parser)]
#[command(name = "load", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The load target: the shop before, with a gate, and after, under the same load
    OrderOverload {
        #[command(flatten)]
        load: Load,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
        /// How often each step is measured
        #[arg(long, env = "ROUNDS", value_parser = count, default_value_t = 1)]
        rounds: usize,
    },
    /// Sold out at once: the shop before, with a gate, and after, under the same crowd
    Spike {
        #[command(flatten)]
        crowd: Crowd,
        #[command(flatten)]
        output: Output,
        /// How often each step is measured
        #[arg(long, env = "ROUNDS", value_parser = count, default_value_t = 1)]
        rounds: usize,
    },
    /// Fill the reports in docs/ from the stored results
    Report {
        /// Only look whether they are as the results say
        #[arg(long)]
        check: bool,
    },
    /// One script of k6/, such as spike
    Scenario {
        /// Its name
        name: String,
        #[command(flatten)]
        target: Target,
    },
}

/// The program `load`, with its arguments; the first is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = Cli::parse_from(args);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => out::refuse(error),
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) => code,
        Err(error) => {
            out::line(format!("load: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, LoadError> {
    match command {
        Command::OrderOverload {
            load,
            target,
            output,
            rounds,
        } => {
            let order = Order {
                load,
                target,
                rounds,
                profile: Profile::Release,
                results_dir: output.results_dir,
            };
            let written = order_overload::measure(&order, SystemClock.now()).await?;
            table::result(&written);
            let runs = &written.result.runs;
            let is_kept = runs.iter().all(|run| run.is_within_thresholds);
            Ok(match is_kept {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            })
        }
        Command::Spike {
            crowd,
            output,
            rounds,
        } => {
            let order = spike::Order {
                crowd,
                rounds,
                profile: Profile::Release,
                results_dir: output.results_dir,
            };
            spike::measure(&order, SystemClock.now()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Report { check } => {
            for path in report::fill(&report::repository(), check)? {
                out::line(format!("filled: {}", path.display()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Scenario { name, target } => {
            scenario::run(&name, &target, Profile::Release).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
