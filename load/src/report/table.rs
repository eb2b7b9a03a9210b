//! Tables in Markdown, and figures as people read them.

use std::fmt::Write as _;

/// A table: its head, then its rows.
pub(super) fn table<R: AsRef<[String]>>(
    head: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.as_ref().join(" | "));
    }
    text
}

/// Three digits that say something, more if it is large: `0.0123`, `1.23`, `12.3`, `123`, `12,345`.
pub(super) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = value.abs();
    let decimals = match magnitude {
        it if it >= 99.95 || it == 0.0 => 0,
        it if it >= 9.995 => 1,
        it if it >= 0.9995 => 2,
        it if it >= 0.099_95 => 3,
        it if it >= 0.009_995 => 4,
        _ => 5,
    };
    grouped(&format!("{value:.decimals$}"))
}

/// A share as `12.3%`.
pub(super) fn percent(share: f64) -> String {
    match share {
        0.0 => "0%".to_owned(),
        share => format!("{:.2}%", share * 100.0),
    }
}

/// Bytes as `12.3 MB`, of a million bytes each.
pub(super) fn megabytes(bytes: f64) -> String {
    format!("{} MB", figure(bytes / 1e6))
}

/// Thousands with commas.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let digits = whole.len();
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (digits - index) % 3 == 0 && digit.is_ascii_digit() && !text.ends_with('-')
        {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_say_something() {
        for (value, shown) in [
            (0.0, "0"),
            (0.012_34, "0.0123"),
            (0.5, "0.500"),
            (1.234_5, "1.23"),
            (9.999, "10.0"),
            (99.99, "100"),
            (123.4, "123"),
            (12_345.6, "12,346"),
            (1_234_567.0, "1,234,567"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(figure(value), shown);
        }
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(0.012_3), "1.23%");
        assert_eq!(megabytes(12_345_678.0), "12.3 MB");
    }

    #[test]
    fn a_table_has_a_head_and_its_rows() {
        let rows = [["a".to_owned(), "b".to_owned()]];
        assert_eq!(
            table(&["x", "y"], rows),
            "| x | y |\n|---|---|\n| a | b |\n"
        );
    }
}
