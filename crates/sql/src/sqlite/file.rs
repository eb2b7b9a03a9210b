//! Which file a URL names, and that it can be written.

use std::{
    fs::OpenOptions,
    io::{Error, ErrorKind},
    path::{Path, PathBuf},
};

use crate::SqlError;

/// The file that `url` names, by one name however it is written. The path is taken as it stands.
pub(super) fn find(url: &str) -> Result<PathBuf, SqlError> {
    let written = url.strip_prefix("sqlite://").ok_or(SqlError::Url)?;
    let is_odd = written.is_empty() || written.starts_with(':') || written.contains(['?', '#']);
    if is_odd {
        return Err(SqlError::Url);
    }
    let path = Path::new(written);
    if let Ok(known) = path.canonicalize() {
        return writable(known);
    }
    let name = path.file_name().ok_or(SqlError::Url)?;
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(SqlError::Url),
    };
    match folder.canonicalize() {
        Ok(folder) => Ok(folder.join(name)),
        Err(_) => Err(SqlError::NoFolder(folder.to_owned())),
    }
}

/// SQLite would open a file that it may only read, and fail at the first sale.
fn writable(path: PathBuf) -> Result<PathBuf, SqlError> {
    let opened = match path.is_dir() {
        true => Err(Error::from(ErrorKind::IsADirectory)),
        false => OpenOptions::new().write(true).open(&path).map(drop),
    };
    match opened {
        Ok(()) => Ok(path),
        Err(source) => Err(SqlError::NotWritable { path, source }),
    }
}

/// `path` with `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
