//! Places in a document that are filled from results.

use super::ReportError;

const BEGIN: &str = "<!-- measured: ";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- /measured -->";

/// What a place asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark<'a> {
    /// Results, by their path in the repository; one `*` stands for anything.
    pub(super) file: &'a str,
    /// A view of them, with what it is to show.
    pub(super) view: &'a str,
}

/// The document with every place filled; what stood there goes. Marks in fenced code are left alone: they explain.
///
/// # Errors
/// When a mark is not closed, or `render` fails.
pub(super) fn fill(
    document: &str,
    mut render: impl FnMut(Mark<'_>) -> Result<String, ReportError>,
) -> Result<String, ReportError> {
    let mut filled = String::with_capacity(document.len());
    let mut is_code = false;
    let mut lines = document.split_inclusive('\n');
    while let Some(line) = lines.next() {
        filled.push_str(line);
        is_code ^= line.trim_start().starts_with("```");
        let Some(mark) = mark(line).filter(|_| !is_code) else {
            continue;
        };
        filled.push_str(render(mark)?.trim_end());
        filled.push('\n');
        let end = lines.find(|line| line.trim_end() == END);
        filled.push_str(end.ok_or_else(|| ReportError::Open(line.trim_end().to_owned()))?);
    }
    Ok(filled)
}

fn mark(line: &str) -> Option<Mark<'_>> {
    let inner = line
        .trim_end()
        .strip_prefix(BEGIN)?
        .strip_suffix(BEGIN_END)?;
    let (file, view) = inner.split_once(' ')?;
    Some(Mark { file, view })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shout(mark: Mark<'_>) -> Result<String, ReportError> {
        Ok(format!("{} of {}\n\n", mark.view, mark.file))
    }

    #[test]
    fn a_place_is_filled_again_and_again_with_the_same() {
        let empty = "a\n<!-- measured: f.json view one -->\n<!-- /measured -->\nb\n";
        let filled = fill(empty, shout).unwrap();
        let inside = "<!-- measured: f.json view one -->\nview one of f.json\n<!-- /measured -->";
        assert_eq!(filled, format!("a\n{inside}\nb\n"));
        assert_eq!(fill(&filled, shout).unwrap(), filled);
    }

    #[test]
    fn a_mark_that_is_explained_is_left_alone() {
        let code = "```\n<!-- measured: f.json view -->\nold\n<!-- /measured -->\n```\n";
        assert_eq!(fill(code, shout).unwrap(), code);
    }

    #[test]
    fn a_mark_without_an_end_is_an_error() {
        let open = "<!-- measured: f.json view -->\nnothing ends it\n";
        let error = fill(open, shout).unwrap_err().to_string();
        assert!(error.contains("measured: f.json view"), "{error}");
    }
}
