//! Documents and results of a repository.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::ReportError;

/// Where the repository is.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Every Markdown file of `docs/`, sorted.
    pub(super) fn documents(&self) -> Result<Vec<PathBuf>, ReportError> {
        let mut found = Vec::new();
        collect(&self.0.join("docs"), &mut found)?;
        found.sort();
        Ok(found)
    }

    /// The files of this name, in which `*` stands for anything; the newest first, by name.
    pub(super) fn newest(&self, pattern: &str) -> Result<Vec<PathBuf>, ReportError> {
        let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let folder = self.0.join(folder);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let (prefix, suffix) = name.split_once('*').unwrap_or((name, ""));
        let is_it = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| {
                name.starts_with(prefix)
                    && name.ends_with(suffix)
                    && name.len() >= prefix.len() + suffix.len()
            })
        };
        let mut found: Vec<PathBuf> = entries(&folder)?
            .into_iter()
            .filter(|path| is_it(path))
            .collect();
        found.sort();
        found.reverse();
        Ok(found)
    }

    /// The path as a document of `docs/scenarios` links to it, and as people say it.
    pub(super) fn said<'a>(&self, path: &'a Path) -> std::borrow::Cow<'a, str> {
        path.strip_prefix(&self.0).unwrap_or(path).to_string_lossy()
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), ReportError> {
    for path in entries(folder)? {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let entries = fs::read_dir(folder).map_err(error(folder))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(error(folder)))
        .collect()
}

pub(super) fn read(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(error(path))
}

pub(super) fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, ReportError> {
    let parsed = serde_json::from_str(&read(path)?).map_err(io::Error::other);
    parsed.map_err(error(path))
}

/// Says of a file operation which file it was.
pub(super) fn error(path: &Path) -> impl FnOnce(io::Error) -> ReportError {
    let path = path.to_owned();
    move |error| ReportError::File { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_name_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a-20261121.json",
            "a-20261122.json",
            "a-20261122.svg",
            "b-20261123.json",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let root = Root::new(folder.path());
        let names = |pattern: &str| -> Vec<String> {
            let found = root.newest(pattern).unwrap();
            found
                .iter()
                .map(|path| root.said(path).replace("./", ""))
                .collect()
        };
        assert_eq!(names("a-*.json"), ["a-20261122.json", "a-20261121.json"]);
        assert_eq!(names("a-20261122.svg"), ["a-20261122.svg"]);
        assert!(names("nowhere/*.json").is_empty());
    }
}
