//! How environment and file get under the flags: as default values of the arguments they name.

use std::{collections::HashMap, ffi::OsString};

use clap::{Arg, Command};

use super::{CONFIG_VARIABLE, file::Entry};

/// Where a value that no flag gave comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Environment,
    File,
}

/// Sources of the arguments that are not left to clap, by argument id.
pub(super) type Sources = HashMap<String, Source>;

/// Whether every name in the file is a variable of this program.
pub(super) fn check_names(command: &Command, file: &[Entry]) -> Result<(), String> {
    let unknown = file.iter().find(|entry| {
        let known = |arg: &Arg| {
            arg.get_env()
                .is_some_and(|name| name == entry.name.as_str())
        };
        entry.name == CONFIG_VARIABLE || !command.get_arguments().any(known)
    });
    match unknown {
        Some(Entry { name, place, .. }) => {
            Err(format!("{place}: {name} is not a variable of this program"))
        }
        None => Ok(()),
    }
}

/// Gives every argument the value of its variable as its default: the environment's, else the file's.
pub(super) fn apply(
    command: Command,
    file: Vec<Entry>,
    env: impl Fn(&str) -> Option<OsString>,
) -> (Command, Sources) {
    let mut values: HashMap<String, String> = file
        .into_iter()
        .map(|entry| (entry.name, entry.value))
        .collect();
    let mut sources = Sources::new();
    let command = command.mut_args(|arg| {
        let Some(name) = arg.get_env().and_then(|name| name.to_str()) else {
            return arg;
        };
        // Compose files and shells set variables to nothing when they mean to leave them unset.
        let from_env = env(name).filter(|value| !value.is_empty());
        let from_file = values.remove(name).filter(|value| !value.is_empty());
        let (value, source) = match (from_env, from_file) {
            (Some(value), _) => (value, Source::Environment),
            (None, Some(value)) => (value.into(), Source::File),
            (None, None) => return arg,
        };
        sources.insert(arg.get_id().to_string(), source);
        arg.required(false).default_value(value)
    });
    (command, sources)
}
