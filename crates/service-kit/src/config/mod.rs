//! Settings: flags over environment over file over built-in defaults.
//!
//! - [`load`], [`try_load_from`]: parse the arguments, or print the effective configuration for
//!   `config check`.
//! - [`Common`]: the settings every service has.
//! - [`Secret`], [`SecretUrl`]: values that never show.
//! - `file`: the `--config` file; `layers`: how environment and file become defaults; `table`: what
//!   `config check` prints.

mod common;
mod file;
mod layers;
mod secret;
mod table;
mod value;

use std::{
    env,
    ffi::{OsStr, OsString},
};

use clap::{Arg, ArgMatches, Args, Command, Error, error::ErrorKind};

use self::layers::Sources;
pub use self::{
    common::{Common, LogFormat},
    secret::{InvalidSecret, Secret, SecretUrl},
    value::{count, duration, duration_or_zero},
};

/// Variable that names the configuration file, like the flag `--config`.
pub const CONFIG_VARIABLE: &str = "HOTDEAL_CONFIG";

/// The settings of one service. Each field is an argument with a `long` flag and an `env` name;
/// secrets have `hide_env_values`.
pub trait Settings: Args + Sized {
    /// What the fields cannot check alone.
    ///
    /// # Errors
    /// In words that name the variable concerned.
    fn validate(&self) -> Result<(), String>;
}

/// What the command line asked for.
#[derive(Debug)]
pub enum Loaded<S> {
    /// Run with these settings.
    Run(S),
    /// `config check` has printed them, and they are valid.
    Done,
}

/// Parses the arguments of this process: `<name> [flags]` runs, `<name> config check` prints the
/// effective configuration with secrets masked and exits with 0 or, when it is not valid, 2;
/// `--config FILE` (or `HOTDEAL_CONFIG`) names a file of NAME=VALUE lines whose names are those of the
/// environment. Exits with a message on bad input.
pub fn load<S: Settings>(name: &'static str, about: &'static str) -> S {
    match try_load_from(name, about, env::args_os()) {
        Ok(Loaded::Run(settings)) => settings,
        Ok(Loaded::Done) => std::process::exit(0),
        Err(error) => error.exit(),
    }
}

/// Like [`load`] with these arguments, the first of which is the program's name.
///
/// # Errors
/// On `--help`, on input that is wrong or missing, and when the settings are not valid.
pub fn try_load_from<S: Settings>(
    name: &'static str,
    about: &'static str,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Loaded<S>, Error> {
    load_with(name, about, args, |variable| env::var_os(variable))
}

/// Like [`try_load_from`], with the environment that `env` looks up; a variable that it does not know
/// is looked up in the process's own.
///
/// # Errors
/// As [`try_load_from`].
pub fn load_with<S: Settings>(
    name: &'static str,
    about: &'static str,
    args: impl IntoIterator<Item = OsString>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Loaded<S>, Error> {
    let mut parsed = parse::<S>(name, about, args, env)?;
    if parsed.check {
        crate::out::line(parsed.table());
    }
    let valid = parsed.settings.validate();
    valid.map_err(|text| refuse(&mut parsed.command, text))?;
    Ok(match parsed.check {
        true => Loaded::Done,
        false => Loaded::Run(parsed.settings),
    })
}

/// The table that `config check` prints for these arguments and this environment.
///
/// # Errors
/// On input that is wrong or missing.
pub fn describe<S: Settings>(
    name: &'static str,
    about: &'static str,
    args: impl IntoIterator<Item = OsString>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<String, Error> {
    parse::<S>(name, about, args, env).map(|parsed| parsed.table())
}

struct Parsed<S> {
    settings: S,
    /// Whether `config check` was asked for.
    check: bool,
    command: Command,
    matches: ArgMatches,
    sources: Sources,
}

impl<S> Parsed<S> {
    fn table(&self) -> String {
        table::render(&self.command, &self.matches, &self.sources)
    }
}

fn parse<S: Settings>(
    name: &'static str,
    about: &'static str,
    args: impl IntoIterator<Item = OsString>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Parsed<S>, Error> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let check_first = take_config_check(&mut args);
    // A flattened struct's own comment would replace the text above the flags.
    let mut command = S::augment_args(command(name)).about(about).long_about(None);
    let file = match config_path(&args, &env) {
        Some(path) => file::read(&path).map_err(|text| refuse(&mut command, text))?,
        None => Vec::new(),
    };
    layers::check_names(&command, &file).map_err(|text| refuse(&mut command, text))?;
    let (mut command, sources) = match asks_for_help(&args) {
        // Help shows the built-in defaults, not what this machine has set.
        true => (command, Sources::new()),
        false => layers::apply(command, file, env),
    };
    let matches = command
        .try_get_matches_from_mut(args)
        .map_err(|error| table::mask_error(error, &command))?;
    let settings = S::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    Ok(Parsed {
        settings,
        check: check_first || wants_check(&matches),
        command,
        matches,
        sources,
    })
}

fn command(name: &'static str) -> Command {
    let config = Arg::new("config_file")
        .long("config")
        .env(CONFIG_VARIABLE)
        .value_name("FILE")
        .help("File of NAME=VALUE lines with the names of the environment variables below");
    let check = Command::new("check").about(
        "Print the effective configuration, secrets masked; exit with 2 when it is not valid",
    );
    Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .arg(config)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("config")
                .about("Look at the configuration")
                .subcommand_required(true)
                .subcommand(check),
        )
}

/// `config check` may stand before the flags or behind them; clap alone takes it only behind.
fn take_config_check(args: &mut Vec<OsString>) -> bool {
    let found =
        matches!(args.get(1..3), Some([config, check]) if config == "config" && check == "check");
    if found {
        args.drain(1..3);
    }
    found
}

fn asks_for_help(args: &[OsString]) -> bool {
    args.iter()
        .skip(1)
        .any(|arg| arg == "--help" || arg == "-h")
}

fn wants_check(matches: &ArgMatches) -> bool {
    matches
        .subcommand()
        .is_some_and(|(name, matches)| name == "config" && matches.subcommand().is_some())
}

/// The file must be known before clap parses the rest, since it gives the defaults.
fn config_path(args: &[OsString], env: impl Fn(&str) -> Option<OsString>) -> Option<OsString> {
    let mut args = args.iter().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().cloned();
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(OsStr::new(path).to_owned());
        }
    }
    env(CONFIG_VARIABLE).filter(|path| !path.is_empty())
}

fn refuse(command: &mut Command, text: impl std::fmt::Display) -> Error {
    command.error(ErrorKind::ValueValidation, text)
}
