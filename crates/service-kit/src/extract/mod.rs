//! What handlers take from a request. Every refusal is a [`Problem`](crate::problem::Problem) with the
//! error `INVALID` that names the field.
//!
//! - [`Json`], [`OptionalJson`]: the body; [`JsonText`], [`decode`] and [`decode_if_right`] are their parts, and
//!   `objects` says what a body must be made of.
//! - [`Query`]: what stands behind the question mark.
//! - [`Path`]: the ids in the path.
//! - `words`: what the decoder finds wrong, for callers.

mod json;
mod objects;
mod path;
mod query;
mod words;

pub(crate) use self::json::too_large;
pub use self::{
    json::{Json, JsonText, OptionalJson, decode, decode_if_right},
    path::Path,
    query::Query,
};

/// Finds the field a message of serde is about: the path it stopped at, and behind it the name in
/// backticks when the message is about a field inside of that (a missing one, for example).
fn field_of(path: &str, message: &str) -> String {
    let path = if path == "." { "" } else { path };
    let names_one = [
        "missing field `",
        "unknown field `",
        "duplicate field `",
        "`",
    ]
    .iter()
    .find_map(|start| message.strip_prefix(start));
    let inner = names_one.and_then(|rest| rest.split('`').next());
    match (path, inner) {
        ("", Some(inner)) => inner.to_owned(),
        (path, Some(inner)) if path != inner && !path.ends_with(&format!(".{inner}")) => {
            format!("{path}.{inner}")
        }
        (path, _) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_named_under_its_parent() {
        assert_eq!(
            field_of("items[0]", "missing field `quantity`"),
            "items[0].quantity"
        );
        assert_eq!(field_of(".", "missing field `items`"), "items");
        assert_eq!(
            field_of("items[0].quantity", "invalid type: null"),
            "items[0].quantity"
        );
        assert_eq!(field_of("size", "`size` must be a whole number"), "size");
        assert_eq!(field_of(".", "invalid type: sequence"), "");
    }
}
