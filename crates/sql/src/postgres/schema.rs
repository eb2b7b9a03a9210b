//! Names of schemas, and how a connection is bound to one.

use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

use crate::SqlError;

/// The longest name Postgres keeps whole, in bytes.
const NAME_LEN_MAX: usize = 63;

/// Connect options for `url`, bound to `schema` on whatever connection is made with them.
pub(super) fn options(url: &str, schema: &str) -> Result<PgConnectOptions, SqlError> {
    check_name(schema)?;
    let options = read_url(url)?.options([("search_path", schema)]);
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name(&format!("hotdeal {schema}")),
    })
}

/// Connect options as the URL says them.
pub(super) fn read_url(url: &str) -> Result<PgConnectOptions, SqlError> {
    PgConnectOptions::from_str(url).map_err(|_| SqlError::Url)
}

/// Names go into statements that cannot take parameters, so only those that need no quotes pass.
fn check_name(schema: &str) -> Result<(), SqlError> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let first = schema.bytes().next().is_some_and(letters);
    let rest = schema
        .bytes()
        .all(|byte| letters(byte) || byte.is_ascii_digit());
    match first && rest && schema.len() <= NAME_LEN_MAX {
        true => Ok(()),
        false => Err(SqlError::SchemaName(schema.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_need_no_quotes_are_taken() {
        for name in ["product", "order_service", "_x9"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "x".repeat(64);
        for name in ["", "9x", "Product", "a b", "a;drop", "a\"b", "é", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_error_about_the_url_does_not_show_it() {
        let error = options("postgres://u:s3cret@h:notaport/db", "product").unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );
    }
}
