//! That nobody else has the file open. SQLite itself would let another process in, and both would work, each
//! waiting for the other's locks; but a shop that was started twice on one file was so by mistake, and is
//! better told.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    path::Path,
    process,
};

use super::file::beside;
use crate::SqlError;

/// A lock that ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock of `path`, which is kept in a file beside it.
    pub(super) fn take(path: &Path) -> Result<Self, SqlError> {
        let not_writable = |source| SqlError::NotWritable {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(beside(path, ".lock"))
            .map_err(not_writable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(SqlError::InUse {
                    path: path.to_owned(),
                    by: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(source)),
        }
        // Who has it, for whoever is refused.
        let written = file
            .set_len(0)
            .and_then(|()| write!(file, "{}", process::id()));
        written.map_err(not_writable)?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    match file.read_to_string(&mut pid).map(|_| pid.parse::<u32>()) {
        Ok(Ok(pid)) if pid == process::id() => "this very program".to_owned(),
        Ok(Ok(pid)) => format!("the program with process id {pid}"),
        _ => "another program".to_owned(),
    }
}
