//! Output of commands. Everything else is logged.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line to stdout. A closed pipe is not an error: whoever read has seen enough.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
