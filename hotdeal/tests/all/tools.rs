//! Programs that `scripts/setup.sh` installs beside the system's own.

use std::{env, path::PathBuf};

/// The program at this path in hotdeal's cache.
pub(crate) fn cached(path: &str) -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let program = cache.expect("there is a HOME").join("hotdeal").join(path);
    let shown = program.display();
    assert!(program.exists(), "{shown} is missing: run scripts/setup.sh");
    program
}
