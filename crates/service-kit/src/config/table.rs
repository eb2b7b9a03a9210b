//! What `config check` prints: every variable, its effective value with secrets masked, and where the
//! value comes from.

use clap::{
    Arg, ArgMatches, Command, Error,
    error::{ContextKind, ContextValue},
    parser::ValueSource,
};

use super::{
    layers::{Source, Sources},
    secret::{MASK, mask_url},
};

/// One line a variable: `NAME = value  (source)`.
pub(super) fn render(command: &Command, matches: &ArgMatches, sources: &Sources) -> String {
    let lines: Vec<_> = command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_env()?.to_string_lossy(), arg)))
        .map(|(name, arg)| (name, shown(arg, matches), source(arg, matches, sources)))
        .collect();
    let name_len = lines.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let value_len = lines
        .iter()
        .map(|(_, value, _)| value.len())
        .max()
        .unwrap_or(0);
    let lines = lines
        .into_iter()
        .map(|(name, value, source)| format!("{name:name_len$} = {value:value_len$}  ({source})"));
    lines.collect::<Vec<_>>().join("\n")
}

fn shown(arg: &Arg, matches: &ArgMatches) -> String {
    let Ok(Some(values)) = matches.try_get_raw(arg.get_id().as_str()) else {
        return "-".to_owned();
    };
    let masked = values.map(|value| mask(arg, &value.to_string_lossy()));
    masked.collect::<Vec<_>>().join(",")
}

fn mask(arg: &Arg, value: &str) -> String {
    if value.contains("://") {
        mask_url(value)
    } else if arg.is_hide_env_values_set() {
        MASK.to_owned()
    } else {
        value.to_owned()
    }
}

fn source(arg: &Arg, matches: &ArgMatches, sources: &Sources) -> &'static str {
    match (
        matches.value_source(arg.get_id().as_str()),
        sources.get(arg.get_id().as_str()),
    ) {
        (None, _) => "not set",
        (Some(ValueSource::CommandLine), _) => "flag",
        (Some(ValueSource::EnvVariable), _) | (_, Some(Source::Environment)) => "environment",
        (_, Some(Source::File)) => "file",
        _ => "default",
    }
}

/// clap repeats a value that it could not parse; a secret must not show there either.
pub(super) fn mask_error(mut error: Error, command: &Command) -> Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (Some(flag), Some(value)) = (
        text(ContextKind::InvalidArg),
        text(ContextKind::InvalidValue),
    ) else {
        return error;
    };
    let masked = match command.get_arguments().find(|arg| arg.to_string() == flag) {
        Some(arg) => mask(arg, &value),
        None => mask_url(&value),
    };
    error.insert(ContextKind::InvalidValue, ContextValue::String(masked));
    error
}
