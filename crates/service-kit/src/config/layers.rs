//! How environment and file get under the flags: as default values of the arguments they name.

use std::{collections::HashMap, ffi::OsString};

use clap::Command;

use super::{CONFIG_VARIABLE, file::Entry};

/// Where a value that no flag gave comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Environment,
    File,
}

/// Sources of the arguments that are not left to clap, by argument id.
pub(super) type Sources = HashMap<String, Source>;

/// Gives every argument the value of its variable as its default: the environment's, else the file's.
/// On a name in the file that no argument has, hands the command back with what to say.
pub(super) fn apply(
    command: Command,
    file: Vec<Entry>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<(Command, Sources), (Command, String)> {
    let mut values: HashMap<String, Entry> = HashMap::new();
    for entry in file {
        let known = command.get_arguments().any(|arg| {
            arg.get_env()
                .is_some_and(|name| name == entry.name.as_str())
        });
        if !known || entry.name == CONFIG_VARIABLE {
            let text = format!(
                "{}: {} is not a variable of this program",
                entry.place, entry.name
            );
            return Err((command, text));
        }
        values.insert(entry.name.clone(), entry);
    }
    let mut sources = Sources::new();
    let command = command.mut_args(|arg| {
        let Some(name) = arg.get_env().and_then(|name| name.to_str()) else {
            return arg;
        };
        // Compose files and shells set variables to nothing when they mean to leave them unset.
        let from_env = env(name).filter(|value| !value.is_empty());
        let from_file = values.remove(name).map(|entry| entry.value);
        let found = match (from_env, from_file.filter(|value| !value.is_empty())) {
            (Some(value), _) => Some((value, Source::Environment)),
            (None, Some(value)) => Some((value.into(), Source::File)),
            (None, None) => None,
        };
        let Some((value, source)) = found else {
            return arg;
        };
        sources.insert(arg.get_id().to_string(), source);
        arg.required(false).default_value(value)
    });
    Ok((command, sources))
}
