//! From the statements of two orders to a script that places new ones.
//!
//! What the two orders have in common stays as it is. Ids that only the first has are its own, and every
//! order of the script gets others: the same id with a growing number in its last twelve digits, so that new
//! rows come at the end of an index, as they do in the shop.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use super::log::Logged;

/// Length of an id as text.
const ID_LEN: usize = 36;
/// Digits of an id that are the order's number.
const NUMBER_LEN: usize = 12;

/// A script of pgbench, with the order's number in the variable `n`. Types of parameters are asked of the
/// database, in which the statements must make sense.
///
/// # Errors
/// When the two orders are not alike, or a statement is not understood.
pub(super) async fn of(
    order: &[Logged],
    another: &[Logged],
    database: &mut PgConnection,
) -> crate::Result<String> {
    let texts =
        |order: &[Logged]| -> Vec<String> { order.iter().map(|one| one.text.clone()).collect() };
    if order.is_empty() || texts(order) != texts(another) {
        let (one, other) = (texts(order).join("\n"), texts(another).join("\n"));
        return Err(format!("two orders differ in their statements:\n{one}\n\n{other}").into());
    }
    let common = ids(another);
    let own: BTreeSet<String> = ids(order).difference(&common).cloned().collect();
    let mut script = String::new();
    for statement in order {
        let types = types(database, statement).await?;
        let values = statement.parameters.iter().zip(types);
        let values: Vec<String> = values
            .map(|(value, kind)| literal(value.as_deref(), &kind, &own))
            .collect();
        let text = with_values(&statement.text, &values);
        // A line of a script is a statement: what is a comment to its end must not end it.
        let text = text
            .lines()
            .map(without_comment)
            .collect::<Vec<_>>()
            .join(" ");
        let _ = writeln!(script, "{};", text.trim().trim_end_matches(';'));
    }
    // Last, so that the number of the first order is the one it was given.
    script.push_str("\\set n :n + 1\n");
    Ok(script)
}

fn without_comment(line: &str) -> &str {
    line.split("--").next().unwrap_or_default().trim()
}

/// Every id in the parameters of an order's statements.
fn ids(order: &[Logged]) -> BTreeSet<String> {
    let values = order.iter().flat_map(|one| one.parameters.iter().flatten());
    values
        .flat_map(|value| ids_in(value))
        .map(|(_, id)| id.to_owned())
        .collect()
}

/// The ids in a text, and where they begin.
fn ids_in(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = 0..text.len().saturating_sub(ID_LEN - 1);
    starts.filter_map(move |at| {
        let candidate = text.get(at..at + ID_LEN)?;
        is_id(candidate).then_some((at, candidate))
    })
}

fn is_id(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// A value as an expression of its type, in which the order's own ids have its number.
fn literal(value: Option<&str>, kind: &str, own: &BTreeSet<String>) -> String {
    let Some(value) = value else {
        return format!("NULL::{kind}");
    };
    let (mut pieces, mut done) = (Vec::new(), 0);
    for (at, id) in ids_in(value) {
        if own.contains(id) {
            let kept = at + ID_LEN - NUMBER_LEN;
            pieces.push(quoted(&value[done..kept]));
            pieces.push(format!("lpad(to_hex(:n::bigint), {NUMBER_LEN}, '0')"));
            done = at + ID_LEN;
        }
    }
    pieces.push(quoted(&value[done..]));
    format!("({})::{kind}", pieces.join(" || "))
}

/// A colon never stands before a letter: `:null` within JSON would be a variable of pgbench.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace(':', ":' || '"))
}

/// The statement with `$1`, `$2`, … replaced.
fn with_values(text: &str, values: &[String]) -> String {
    let mut pieces = text.split('$');
    let mut replaced = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let value = piece[..digits].parse::<usize>().ok();
        match value.and_then(|number| values.get(number.checked_sub(1)?)) {
            Some(value) => replaced += value,
            None => _ = write!(replaced, "${}", &piece[..digits]),
        }
        replaced += &piece[digits..];
    }
    replaced
}

/// The types of a statement's parameters, as the database sees them.
async fn types(database: &mut PgConnection, statement: &Logged) -> crate::Result<Vec<String>> {
    if statement.parameters.is_empty() {
        return Ok(Vec::new());
    }
    let prepare = format!("PREPARE recorded AS {}", statement.text);
    database.execute(AssertSqlSafe(prepare)).await?;
    let kinds =
        "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'recorded'";
    let kinds: Vec<String> = sqlx::query_scalar(kinds).fetch_one(&mut *database).await?;
    database.execute("DEALLOCATE recorded").await?;
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "0192f0c1-7b5e-7000-8000-00000000abcd";
    const COMMON: &str = "0192f0c1-7b5e-7000-8000-000000000001";

    #[test]
    fn an_orders_own_ids_get_its_number_and_others_stay() {
        let own = BTreeSet::from([OWN.to_owned()]);
        let value = format!("{{{OWN},{COMMON}}}");
        assert_eq!(
            literal(Some(&value), "uuid[]", &own),
            format!(
                "('{{0192f0c1-7b5e-7000-8000-' || lpad(to_hex(:n::bigint), 12, '0') || ',{COMMON}}}')::uuid[]"
            )
        );
        assert_eq!(literal(None, "text", &own), "NULL::text");
        assert_eq!(literal(Some("it's"), "text", &own), "('it''s')::text");
        assert_eq!(
            literal(Some("{\"a\":null}"), "jsonb", &own),
            "('{\"a\":' || 'null}')::jsonb"
        );
    }

    #[test]
    fn parameters_are_replaced_by_their_numbers() {
        let values: Vec<String> = (1..=11).map(|number| format!("<{number}>")).collect();
        let text = with_values("SELECT $1, $11::text, '$' WHERE $2 = $1", &values);
        assert_eq!(text, "SELECT <1>, <11>::text, '$' WHERE <2> = <1>");
    }
}
