//! The directory that keeps data and logs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Makes `directory` if it is not there and locks it for this process. Answers its absolute path.
///
/// # Errors
/// When it cannot be made, or a shop runs in it.
pub(super) fn open(directory: &Path) -> Result<PathBuf, String> {
    /// Held until the process ends.
    static LOCK: OnceLock<File> = OnceLock::new();
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(|error| failed(&error))?;
    let path = directory.canonicalize().map_err(|error| failed(&error))?;
    let lock = File::create(path.join("lock")).map_err(|error| failed(&error))?;
    if lock.try_lock().is_err() {
        return Err(failed(&"a shop already runs in this directory"));
    }
    let _ = LOCK.set(lock);
    Ok(path)
}
