//! Statements in the server's log, one JSON object a line.

use serde::Deserialize;

/// A line of the log that is about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logged {
    pid: u32,
    /// The statement, with `$1`, `$2`, … for its parameters.
    pub(super) text: String,
    /// The parameters as text; `None` for null.
    pub(super) parameters: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct Line {
    pid: u32,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: String,
}

/// All statements, in their order.
pub(super) fn read(log: &str) -> Vec<Logged> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines.filter_map(Logged::of).collect()
}

impl Logged {
    fn of(line: Line) -> Option<Self> {
        let text = match line.message.strip_prefix("execute ") {
            // The name of the prepared statement comes first.
            Some(named) => named.split_once(": ")?.1,
            None => line.message.strip_prefix("statement: ")?,
        };
        let parameters = line.detail.split_once("arameters: ");
        Some(Self {
            pid: line.pid,
            text: text.to_owned(),
            parameters: parameters.map_or_else(Vec::new, |(_, list)| values(list)),
        })
    }
}

/// Reads `$1 = 'it''s', $2 = NULL`.
fn values(list: &str) -> Vec<Option<String>> {
    let (mut found, mut rest) = (Vec::new(), list);
    while let Some((_, value)) = rest.split_once(" = ") {
        let Some(quoted) = value.strip_prefix('\'') else {
            found.push(None);
            rest = value.strip_prefix("NULL").unwrap_or_default();
            continue;
        };
        let end = end_of_quoted(quoted);
        found.push(Some(quoted[..end].replace("''", "'")));
        rest = quoted.get(end + 1..).unwrap_or_default();
    }
    found
}

/// Where the closing quotation mark stands; two of them are one inside.
fn end_of_quoted(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) = text[at..].find('\'') {
        let mark = at + next;
        if !text[mark + 1..].starts_with('\'') {
            return mark;
        }
        at = mark + 2;
    }
    text.len()
}

/// The statements between two marks, of those connections that wrote something there: others are keepers,
/// who look around.
pub(super) fn between(logged: &[Logged], begin: &str, end: &str) -> Vec<Logged> {
    let from = logged.iter().position(|one| one.text.contains(begin));
    let to = logged.iter().position(|one| one.text.contains(end));
    let (Some(from), Some(to)) = (from, to) else {
        return Vec::new();
    };
    let inside = logged.get(from + 1..to).unwrap_or_default();
    let writers: Vec<u32> = inside
        .iter()
        .filter(|one| one.text.contains("INSERT INTO"))
        .map(|one| one.pid)
        .collect();
    let theirs = inside.iter().filter(|one| writers.contains(&one.pid));
    theirs.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_with_their_parameters() {
        let log = concat!(
            r#"{"pid":7,"message":"statement: BEGIN"}"#,
            "\n",
            r#"{"pid":7,"message":"execute sqlx_s_3: INSERT INTO t: $1, $2, $3","detail":"parameters: $1 = 'it''s, $9 = x', $2 = NULL, $3 = '{1,2}'"}"#,
            "\n",
            r#"{"pid":8,"message":"checkpoint starting: time"}"#,
        );
        let logged = read(log);
        assert_eq!(logged.len(), 2);
        assert_eq!(logged[0].text, "BEGIN");
        assert_eq!(logged[1].text, "INSERT INTO t: $1, $2, $3");
        let some = |text: &str| Some(text.to_owned());
        let expected = [some("it's, $9 = x"), None, some("{1,2}")];
        assert_eq!(logged[1].parameters, expected);
    }

    #[test]
    fn only_what_writers_did_between_the_marks_is_taken() {
        let logged = |pid, text: &str| Logged {
            pid,
            text: text.to_owned(),
            parameters: Vec::new(),
        };
        let all = [
            logged(1, "INSERT INTO before"),
            logged(9, "SELECT 'begins'"),
            logged(1, "BEGIN"),
            logged(2, "SELECT 1"),
            logged(1, "INSERT INTO t"),
            logged(9, "SELECT 'ends'"),
            logged(1, "COMMIT"),
        ];
        let texts: Vec<String> = between(&all, "begins", "ends")
            .into_iter()
            .map(|one| one.text)
            .collect();
        assert_eq!(texts, ["BEGIN", "INSERT INTO t"]);
    }
}
