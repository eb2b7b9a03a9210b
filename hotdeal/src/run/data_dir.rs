//! The directory of the SQLite files, each of which only one process may have open.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sql::SqlError;

/// product-service's file.
pub(super) const PRODUCT_FILE: &str = "product.db";
/// order-service's file.
pub(super) const ORDER_FILE: &str = "order.db";

/// Why the directory cannot be used. The words say what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataDirError {
    /// It cannot be made, or no file in it.
    #[error(
        "the data directory {} cannot be written: {source}; make it writable, or set HOTDEAL_DATA_DIR \
         to a directory that is", path.display()
    )]
    NotWritable { path: PathBuf, source: io::Error },
    /// Another process has it.
    #[error(
        "another hotdeal runs on the data directory {} ({by}): stop it, or set HOTDEAL_DATA_DIR to \
         another directory", path.display()
    )]
    Taken { path: PathBuf, by: String },
    /// The files in it are from a later version of this program.
    #[error(
        "the data in {} was written by a newer version of hotdeal (migration {version}): run that \
         version, or set HOTDEAL_DATA_DIR to another directory to start afresh", path.display()
    )]
    Newer { path: PathBuf, version: i64 },
    /// Anything else about one of its files.
    #[error("HOTDEAL_DATA_DIR: {0}")]
    Other(SqlError),
}

/// Makes the directory if it is not there.
pub(super) fn make(path: &Path) -> Result<(), DataDirError> {
    fs::create_dir_all(path).map_err(|source| DataDirError::NotWritable {
        path: path.to_owned(),
        source,
    })
}

/// What is wrong with a file in it, as something to do about the directory.
pub(super) fn explain(path: &Path, error: SqlError) -> DataDirError {
    let path = path.to_owned();
    match error {
        SqlError::NotWritable { source, .. } => DataDirError::NotWritable { path, source },
        SqlError::InUse { by, .. } => DataDirError::Taken { path, by },
        SqlError::Newer { version, .. } => DataDirError::Newer { path, version },
        other => DataDirError::Other(other),
    }
}

/// The URL of a file in the directory.
pub(super) fn url(path: &Path, file: &str) -> String {
    format!("sqlite://{}", path.join(file).display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_cannot_be_made_is_named_with_the_variable() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = make(&file.path().join("data")).unwrap_err().to_string();
        assert!(error.contains("HOTDEAL_DATA_DIR"), "{error}");
        assert!(error.contains("/data cannot be written"), "{error}");
    }
}
