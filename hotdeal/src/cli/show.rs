//! Tables and records for people.

use serde_json::Value;
use service_kit::out;
use unicode_width::UnicodeWidthStr as _;

/// A column, or a line of a record: its title, and where its value stands in the JSON.
pub(super) type Field = (&'static str, &'static str);

/// Where every unit of a deal is, and the rest of what there is to say about it.
pub(super) const DEAL: &[Field] = &[
    ("deal", "/deal_id"),
    ("product", "/product_id"),
    ("status", "/status"),
    ("price", "/unit_price"),
    ("per buyer", "/per_user_limit"),
    ("starts at", "/starts_at"),
    ("ends at", "/ends_at"),
    ("initial", "/initial"),
    ("restocked", "/restocked"),
    ("available", "/available"),
    ("held", "/held"),
    ("sold", "/sold"),
    ("written off", "/written_off"),
    ("returned", "/returned"),
    ("gate", "/gate/quantity"),
    ("drift", "/drift"),
];

/// Prints one object, a line a field; what is not there is left out.
pub(super) fn record(value: &Value, fields: &[Field]) {
    let there: Vec<_> = fields
        .iter()
        .filter_map(|(title, at)| Some((title, cell(value.pointer(at)?)?)))
        .collect();
    let width = there
        .iter()
        .map(|(title, _)| title.width())
        .max()
        .unwrap_or(0);
    for (title, text) in there {
        out::line(format!("{title}{}  {text}", gap(title, width)));
    }
}

/// Prints the items of a page as a table, and how many there are beyond.
pub(super) fn page(page: &Value, columns: &[Field]) {
    let none = Vec::new();
    let items = page["items"].as_array().unwrap_or(&none);
    table(items, columns);
    let total = page["total"].as_u64().unwrap_or(0);
    if usize::try_from(total).is_ok_and(|total| total > items.len()) {
        let number = page["page"].as_u64().unwrap_or(1);
        out::line(format!(
            "page {number}, {} of {}",
            items.len(),
            grouped(total)
        ));
    }
}

/// Prints rows under their columns' titles; numbers stand to the right.
pub(super) fn table(rows: &[Value], columns: &[Field]) {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |at| row.pointer(at).and_then(cell).unwrap_or_default();
            columns.iter().map(|(_, at)| cell(at)).collect()
        })
        .collect();
    let shape: Vec<(usize, bool)> = columns
        .iter()
        .enumerate()
        .map(|(index, (title, at))| {
            let widths = cells.iter().map(|row| row[index].width());
            let is_number = rows
                .iter()
                .any(|row| row.pointer(at).is_some_and(Value::is_number));
            (widths.chain([title.width()]).max().unwrap_or(0), is_number)
        })
        .collect();
    let titles = columns.iter().map(|(title, _)| title.to_uppercase());
    out::line(line(&titles.collect::<Vec<_>>(), &shape));
    for row in &cells {
        out::line(line(row, &shape));
    }
}

fn line(cells: &[String], shape: &[(usize, bool)]) -> String {
    let padded = cells.iter().zip(shape).map(|(text, (width, is_number))| {
        let gap = gap(text, *width);
        match is_number {
            true => format!("{gap}{text}"),
            false => format!("{text}{gap}"),
        }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn gap(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.width()))
}

/// A value as a person reads it; `None` for nothing.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.chars().map(visible).collect()),
        Value::Number(number) => Some(match number.as_i64() {
            Some(number) if number < 0 => format!("-{}", grouped(number.unsigned_abs())),
            Some(number) => grouped(number.unsigned_abs()),
            None => number.to_string(),
        }),
        other => Some(other.to_string()),
    }
}

/// Whoever names a product must not steer the terminal of whoever lists it.
fn visible(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

/// A number with a comma before every three digits.
pub(crate) fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (number, text) in [
            (0_u64, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(cell(&json!(-1_500)).unwrap(), "-1,500");
    }

    #[test]
    fn wide_letters_take_two_columns_and_numbers_stand_right() {
        let shape = [(6, false), (5, true)];
        let row = |name: &str, number: &str| line(&[name.to_owned(), number.to_owned()], &shape);
        assert_eq!(row("한정판", "5"), "한정판      5");
        assert_eq!(row("tea", "1,000"), "tea     1,000");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(cell(&json!("a\u{1b}[2J")).unwrap(), "a\u{fffd}[2J");
    }
}
