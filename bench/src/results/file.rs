//! Where reports are kept: one file a run, named by its time and the revision that was measured.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Report, SCHEMA};

/// Writes the report into `directory` and answers where.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, directory: &Path) -> crate::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let path = directory.join(name(report));
    let text = serde_json::to_string_pretty(report)? + "\n";
    fs::write(&path, text)?;
    Ok(path)
}

/// Reads a report.
///
/// # Errors
/// When the file is none, or of another version of the schema.
pub fn read(path: &Path) -> crate::Result<Report> {
    let about = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| about(&error))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| about(&error))?;
    if report.schema != SCHEMA {
        let other = format!("has schema {}, this program knows {SCHEMA}", report.schema);
        return Err(about(&other).into());
    }
    Ok(report)
}

/// `20261121-175430-958c8c1.json`.
fn name(report: &Report) -> String {
    let begun_at = report.journal.begun_at.to_string();
    let digits: String = begun_at
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let (date, time) = digits.split_at(digits.len().min(8));
    format!("{date}-{time}-{}.json", report.journal.revision)
}
