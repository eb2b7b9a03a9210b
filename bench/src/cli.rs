//! The program: `bench run`, `bench compare A B`, and the servers that do nothing.

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode, rc::Rc, time::Duration};

use clap::{Parser, Subcommand};
use domain::{Clock as _, SystemClock};
use local_shop::machine::Machine;
use service_kit::{config::duration, out};

use crate::{
    figures::{ALL, Subject},
    journal::{Journal, postgres_settings},
    noop,
    results::{Report, SCHEMA, compare::compare, file, table::table},
    rounds::Rounds,
    setting::Setting,
};

/// How fast the shop is
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures, prints a table, and keeps a file
    Run(Run),
    /// Holds two files of results against each other
    Compare {
        /// Before
        a: PathBuf,
        /// After
        b: PathBuf,
    },
    /// Answers DecreaseStock with a constant
    #[command(disable_help_flag = true)]
    NoopGrpc {
        #[arg(allow_hyphen_values = true, trailing_var_arg = true, hide = true)]
        args: Vec<OsString>,
    },
    /// Decodes POST /orders and answers a constant
    #[command(disable_help_flag = true)]
    NoopHttp {
        #[arg(allow_hyphen_values = true, trailing_var_arg = true, hide = true)]
        args: Vec<OsString>,
    },
}

/// What `bench run` is told.
#[derive(Debug, clap::Args)]
struct Run {
    /// Figures to measure, such as P1a,P4; none: all
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// Measurements of each side
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Length of each measurement
    #[arg(long, value_parser = duration, default_value = "5s")]
    measured: Duration,

    /// Load before it, which does not count
    #[arg(long, value_parser = duration, default_value = "2s")]
    warm_up: Duration,

    /// Where the file of results goes
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,

    /// One short round in small worlds, with binaries compiled as this one: for function, not for speed
    #[arg(long)]
    tiny: bool,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => ended(run.begin()),
        Command::Compare { a, b } => ended(compare_files(&a, &b)),
        Command::NoopGrpc { args } => noop::grpc::main(named("noop-grpc", args)),
        Command::NoopHttp { args } => noop::http::main(named("noop-http", args)),
    }
}

fn named(name: &str, args: Vec<OsString>) -> impl Iterator<Item = OsString> {
    std::iter::once(OsString::from(name)).chain(args)
}

fn ended(outcome: crate::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| out::refuse(error))
}

fn compare_files(a: &std::path::Path, b: &std::path::Path) -> crate::Result<ExitCode> {
    out::line(compare(&file::read(a)?, &file::read(b)?));
    Ok(ExitCode::SUCCESS)
}

impl Run {
    /// The whole program on one thread: it shares the machine with what it measures.
    fn begin(self) -> crate::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.measure())
    }

    async fn measure(self) -> crate::Result<ExitCode> {
        let subjects = chosen(&self.only)?;
        let setting = Rc::new(self.setting()?);
        let machine = Machine::look().await;
        let now = SystemClock.now();
        let mut journal = Journal::begin(now, machine, setting.profile, setting.rounds);
        journal.postgres_settings = postgres_settings().await?;
        let (mut figures, mut failures) = (Vec::new(), Vec::new());
        for subject in subjects {
            out::line(format_args!("{}  {}", subject.id, subject.what));
            // One that fails must not take with it what the others have measured.
            match subject.measure(Rc::clone(&setting)).await {
                Ok(figure) => figures.push(figure),
                Err(error) => failures.push(format!("{}: {error}", subject.id)),
            }
        }
        journal.end(SystemClock.now());
        let report = Report {
            schema: SCHEMA,
            journal,
            figures,
        };
        out::line(table(&report));
        let path = file::write(&report, &self.results)?;
        out::line(format_args!("\nkept in {}", path.display()));
        for failure in &failures {
            out::line(format_args!("FAILED  {failure}"));
        }
        Ok(match failures.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    fn setting(&self) -> crate::Result<Setting> {
        let bench = env::current_exe()?;
        if self.tiny {
            return Ok(Setting::tiny(bench));
        }
        let rounds = Rounds::new(self.rounds.max(1), self.measured, self.warm_up);
        Ok(Setting::full(rounds, bench))
    }
}

/// The figures with these ids; all, if none is named.
fn chosen(only: &[String]) -> crate::Result<Vec<Subject>> {
    let known = |id: &String| {
        ALL.iter()
            .find(|subject| subject.id.eq_ignore_ascii_case(id))
    };
    if only.is_empty() {
        return Ok(ALL.to_vec());
    }
    let chosen = only.iter().map(|id| {
        let ids = || ALL.map(|subject| subject.id).join(", ");
        known(id)
            .copied()
            .ok_or_else(|| format!("there is no figure {id}, but {}", ids()).into())
    });
    chosen.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_chosen_by_their_ids() {
        let ids = |only: &[&str]| -> crate::Result<Vec<&str>> {
            let only: Vec<String> = only.iter().map(ToString::to_string).collect();
            Ok(chosen(&only)?.iter().map(|subject| subject.id).collect())
        };
        assert_eq!(ids(&["P3", "p1A"]).unwrap(), ["P3", "P1a"]);
        assert_eq!(ids(&[]).unwrap().len(), ALL.len());
        assert!(ids(&["P99"]).unwrap_err().to_string().contains("P1a, "));
    }
}
