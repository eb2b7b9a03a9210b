//! Why a run came to nothing.

use std::{io, path::PathBuf};

use crate::report::ReportError;

/// A run that has no result, or one that is not true.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// k6 did not do its work.
    #[error("k6 ended with {status}:\n{output}")]
    K6 {
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
    /// A threshold of the script was crossed, or a fact of it did not hold.
    #[error("{0}: a threshold is crossed")]
    Threshold(String),
    /// k6's summary is not as expected.
    #[error("the summary of k6 has no {0}")]
    Summary(String),
    /// Answers and database disagree.
    #[error("untrue: {0}")]
    Untrue(String),
    /// There is no such script.
    #[error("there is no scenario {name:?}; there are: {known}")]
    NoScenario {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The database could not be asked.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A report cannot be filled.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A picture could not be drawn.
    #[error("a picture cannot be drawn: {0}")]
    Plot(String),
}

impl LoadError {
    /// Says of a file operation which file it was.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |error| Self::File { path, error }
    }
}
