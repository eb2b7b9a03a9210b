//! Directories for one test process, removed by the next one that starts after it has ended.
//!
//! A run's directory holds a file `lease` that stays locked as long as the process lives. The kernel drops the
//! lock however the process ends, so an unlocked lease marks a dead run, whatever has become of its process id.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::uid;

/// The place of all runs of this user. As root it is `/tmp`, since user `postgres` must be able to enter it.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let base = if uid() == 0 {
            PathBuf::from("/tmp")
        } else {
            std::env::temp_dir()
        };
        let root = base.join(format!("hotdeal-test-{}", uid()));
        make_enterable(&root);
        let owner = fs::metadata(&root)
            .expect("the root of the runs was just made")
            .uid();
        assert_eq!(owner, uid(), "{} belongs to another user", root.display());
        root
    })
}

/// A new, empty directory of this run, which other users may enter.
pub fn directory(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = run().join(format!("{name}-{number}"));
    make_enterable(&path);
    path
}

/// This process's directory. Opened on first use; that is also when the dead ones go.
fn run() -> &'static Path {
    struct Run {
        path: PathBuf,
        _lease: File,
    }
    static RUN: OnceLock<Run> = OnceLock::new();
    &RUN.get_or_init(|| {
        // One at a time: a run that is being made has no lock yet and would look dead.
        let gate = File::create(root().join("gate")).expect("the root of the runs is writable");
        gate.lock().expect("the gate can be locked");
        sweep(root());
        let path = tempfile::Builder::new()
            .prefix(&format!("run-{}-", std::process::id()))
            .tempdir_in(root())
            .expect("a run's directory can be made")
            .keep();
        make_enterable(&path);
        let lease = File::create(path.join("lease")).expect("the run's directory is writable");
        lease.lock().expect("a new lease can be locked");
        Run {
            path,
            _lease: lease,
        }
    })
    .path
}

/// Removes the directories of dead runs. What cannot be removed now (a server is still going down) goes next time.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let is_run = entry.file_name().to_string_lossy().starts_with("run-");
        if is_run && is_dead(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// True if no process holds the run's lease.
fn is_dead(run: &Path) -> bool {
    File::open(run.join("lease")).map_or(true, |lease| lease.try_lock().is_ok())
}

fn make_enterable(path: &Path) {
    fs::create_dir_all(path)
        .unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
    // A directory of another user is refused above; its mode is not ours to set.
    let _ = fs::set_permissions(path, Permissions::from_mode(0o755));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::eventually;

    #[tokio::test]
    async fn a_dead_runs_directory_goes_and_a_living_ones_stays() {
        let root = tempfile::tempdir().unwrap();
        let (dead, alive) = (root.path().join("run-1-a"), root.path().join("run-2-b"));
        for path in [&dead, &alive] {
            fs::create_dir(path).unwrap();
            File::create(path.join("lease")).unwrap();
        }
        let lease = File::open(alive.join("lease")).unwrap();
        lease.lock().unwrap();

        sweep(root.path());
        assert!(!dead.exists());
        assert!(alive.exists());

        drop(lease);
        // A child that another test is just starting shares the lock until it is a program of its own.
        eventually(Duration::from_secs(10), "the lease is free", async || {
            sweep(root.path());
            !alive.exists()
        })
        .await;
    }

    #[test]
    fn directories_of_one_name_are_different() {
        assert_ne!(directory("same"), directory("same"));
    }
}
