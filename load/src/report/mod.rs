//! Fills the reports in `docs/` from stored results, so that no figure in them is typed by hand.
//!
//! - `marks`: places in a document. `files`: the results they name. `table`: Markdown and figures.
//! - `side`: what one step measured, whichever load it was under; `views`: tables of sides.
//! - `machine`: where it was measured. `bench`: tables of the bench's results; `runs`: several of its runs as one.
//!
//! A place says which results and which view of them:
//!
//! | results | views |
//! |---|---|
//! | `load/results/….json` | `environment`, `performance STEP`, `resources STEP`, `comparison STEP STEP`, `summary`, `decrement`, `picture NAME` |
//! | `bench/results/….json` | `environment`, `table FIGURE`, `resources FIGURE`, `ratio FIGURE…`, `summary` |
//!
//! `*` in a name stands for anything, and the last such file by name counts, which is the newest; of the bench all of the
//! newest revision that has the figure. Without one, the place says that nothing has been measured yet.

mod bench;
mod files;
mod machine;
mod marks;
mod runs;
mod side;
mod table;
mod views;

use std::{
    fs,
    path::{Path, PathBuf},
};

use self::{files::Root, marks::Mark};

/// Why a report cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A mark has no end.
    #[error("nothing ends {0}")]
    Open(String),
    /// A mark asks for what there is not.
    #[error("{file} has no view {view:?}")]
    View {
        /// The results.
        file: String,
        /// What is asked of them.
        view: String,
    },
    /// A file cannot be read, written, or understood.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Reports are not what their results say.
    #[error("not as the results say: {0}; run `make reports`")]
    Stale(String),
}

/// What stands where there are no results.
const NOTHING_YET: &str = "*(아직 측정하지 않았습니다)*";

/// Fills every report of the repository at `root`, or with `is_check` only looks whether that would change one.
/// Answers those that it changed.
///
/// # Errors
/// When a mark asks for what there is not, a file cannot be read or written, or a report is not up to date.
pub fn fill(root: &Path, is_check: bool) -> Result<Vec<PathBuf>, ReportError> {
    let root = Root::new(root);
    let mut changed = Vec::new();
    for path in root.documents()? {
        let document = files::read(&path)?;
        let filled = marks::fill(&document, |mark| render(&root, mark))?;
        if filled == document {
            continue;
        }
        if !is_check {
            fs::write(&path, filled).map_err(files::error(&path))?;
        }
        changed.push(path);
    }
    match is_check && !changed.is_empty() {
        true => {
            let names: Vec<String> = changed
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Err(ReportError::Stale(names.join(", ")))
        }
        false => Ok(changed),
    }
}

/// This repository.
pub fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap_or(root)
}

fn render(root: &Root, mark: Mark<'_>) -> Result<String, ReportError> {
    let rendered = match mark.file.starts_with("bench/") {
        true => bench::render(root, mark)?,
        false => views::render(root, mark)?,
    };
    Ok(rendered.unwrap_or_else(|| NOTHING_YET.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one report and no results.
    fn repository(report: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("docs")).unwrap();
        fs::write(root.path().join("docs/report.md"), report).unwrap();
        root
    }

    #[test]
    fn a_report_that_is_not_up_to_date_is_found_and_then_filled() {
        let root = repository(
            "<!-- measured: load/results/x-*.json summary -->\n12 ms\n<!-- /measured -->\n",
        );
        let stale = fill(root.path(), true).unwrap_err().to_string();
        assert!(stale.contains("report.md"), "{stale}");
        assert_eq!(fill(root.path(), false).unwrap().len(), 1);
        assert!(fill(root.path(), true).unwrap().is_empty());
        let filled = fs::read_to_string(root.path().join("docs/report.md")).unwrap();
        assert!(
            filled.contains(NOTHING_YET) && !filled.contains("12 ms"),
            "{filled}"
        );
    }
}
