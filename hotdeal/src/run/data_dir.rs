//! The directory of the SQLite files. SQLite itself would let two processes write to them; the second
//! one's memory of what is sold out or running would be another's, so only one process may have it.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// product-service's file.
pub(super) const PRODUCT_FILE: &str = "product.db";
/// order-service's file.
pub(super) const ORDER_FILE: &str = "order.db";
/// Locked while a process has the directory, with its number inside. The kernel lets go of the lock
/// however the process ends, so that there is never an old one to remove.
const LOCK_FILE: &str = "hotdeal.lock";

/// Why the directory cannot be used. The words say what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataDirError {
    /// It cannot be made, or no file in it.
    #[error(
        "the data directory {} cannot be written: {source}; make it writable, or set HOTDEAL_DATA_DIR \
         to a directory that is", path.display()
    )]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "another hotdeal{owner} runs on the data directory {}: stop it, or set HOTDEAL_DATA_DIR to \
         another directory", path.display()
    )]
    Taken {
        /// The directory.
        path: PathBuf,
        /// ` (process 42)`, if it can be read.
        owner: String,
    },
}

/// The directory, which is this process's own while this lives.
#[derive(Debug)]
pub(super) struct DataDir {
    _lock: File,
}

impl DataDir {
    /// Makes the directory if it is not there, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, DataDirError> {
        let not_writable = |source| DataDirError::NotWritable {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(not_writable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join(LOCK_FILE));
        let mut lock = lock.map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::Taken {
                    path: path.to_owned(),
                    owner: owner(&mut lock),
                });
            }
            Err(TryLockError::Error(error)) => return Err(not_writable(error)),
        }
        sign(&mut lock).map_err(not_writable)?;
        Ok(Self { _lock: lock })
    }
}

fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

fn owner(lock: &mut File) -> String {
    let mut text = String::new();
    let number = match lock.read_to_string(&mut text) {
        Ok(_) => text.trim().parse::<u32>().ok(),
        Err(_) => None,
    };
    number.map_or_else(String::new, |number| format!(" (process {number})"))
}

/// The URL of a file in the directory. Characters that have a meaning in URLs are escaped.
pub(super) fn url(path: &Path, file: &str) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in path.join(file).to_string_lossy().bytes() {
        match byte {
            b'%' | b'?' | b'#' => url.push_str(&format!("%{byte:02X}")),
            byte if byte.is_ascii() => url.push(char::from(byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_at_a_time_and_names_him() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        let first = DataDir::take(&path).unwrap();
        let error = DataDir::take(&path).unwrap_err().to_string();
        let process = format!("process {}", std::process::id());
        assert!(error.contains(&process), "{error}");
        assert!(error.contains("HOTDEAL_DATA_DIR"), "{error}");
        drop(first);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = DataDir::take(&file.path().join("data")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("HOTDEAL_DATA_DIR") && error.contains("data"),
            "{error}"
        );
    }

    #[test]
    fn a_path_with_signs_of_a_url_is_escaped() {
        let url = url(Path::new("./100%?/김"), "x.db");
        assert_eq!(url, "sqlite://./100%25%3F/%EA%B9%80/x.db");
    }
}
