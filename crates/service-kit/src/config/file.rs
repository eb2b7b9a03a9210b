//! The configuration file: NAME=VALUE lines.

use std::{ffi::OsStr, fs};

/// One line of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// For messages: the file and the line, from 1.
    pub(super) place: String,
}

/// Reads the file at `path`.
pub(super) fn read(path: &OsStr) -> Result<Vec<Entry>, String> {
    let shown = path.to_string_lossy();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    parse(&text, &shown)
}

/// Empty lines and lines that begin with `#` say nothing; a value may stand in double or single quotes.
/// An empty value leaves the name unset.
fn parse(text: &str, file: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (line, place) = (line.trim(), format!("{file}:{}", index + 1));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line is not repeated in the message: it may be half a secret.
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("{place}: expected NAME=VALUE"));
        };
        let (name, value) = (name.trim(), unquote(value.trim()));
        if entries.iter().any(|entry| entry.name == name) {
            return Err(format!("{place}: {name} is set twice"));
        }
        entries.push(Entry {
            name: name.to_owned(),
            value: value.to_owned(),
            place,
        });
    }
    Ok(entries)
}

fn unquote(value: &str) -> &str {
    let quoted = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_spaces_and_quotes_are_not_part_of_a_value() {
        let text = "# first\n\n A = 1 \nB=\"x # y\"\nC='it=works'\nD=\n";
        let entries = parse(text, "f").unwrap();
        let pairs: Vec<_> = entries
            .iter()
            .map(|e| (&*e.name, &*e.value, &*e.place))
            .collect();
        assert_eq!(
            pairs,
            [
                ("A", "1", "f:3"),
                ("B", "x # y", "f:4"),
                ("C", "it=works", "f:5"),
                ("D", "", "f:6")
            ]
        );
    }

    #[test]
    fn a_line_without_a_value_and_a_name_set_twice_are_errors_with_their_place() {
        assert_eq!(
            parse("A=1\ns3cret", "f"),
            Err("f:2: expected NAME=VALUE".to_owned())
        );
        assert_eq!(
            parse("A=1\nA=2", "f"),
            Err("f:2: A is set twice".to_owned())
        );
    }
}
