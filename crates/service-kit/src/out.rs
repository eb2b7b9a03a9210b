//! Output of commands, and of what happens before there is a log. Everything else is logged.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line to stdout. A closed pipe is not an error: whoever read has seen enough.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Ends the process with exit code 2 and `error` on stderr, for settings that turn out wrong where
/// there is no log yet to write to.
pub fn refuse(error: impl Display) -> ! {
    clap::Error::raw(
        clap::error::ErrorKind::ValueValidation,
        format!("{error}\n"),
    )
    .exit()
}
