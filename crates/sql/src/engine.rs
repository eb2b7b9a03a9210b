//! Which engine a URL names.

/// Checks that `url` is one of an engine there is. The rest of the URL, a password among it, is not
/// repeated.
///
/// # Errors
/// What a URL must begin with, in words that follow the name of the setting.
pub fn check_engine(url: &str) -> Result<(), String> {
    let scheme = match url.split_once("://") {
        Some(("postgres" | "postgresql", _)) => return Ok(()),
        Some((scheme, _)) => format!("{scheme}://"),
        None => "no scheme".to_owned(),
    };
    Err(format!(
        "has {scheme}: it must begin with postgres:// or postgresql://"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_engines_there_are_pass_and_passwords_are_not_repeated() {
        assert_eq!(check_engine("postgres://a:b@c/d"), Ok(()));
        assert_eq!(check_engine("postgresql://a:b@c/d"), Ok(()));
        for url in [
            "mysql://me:secret@host/shop",
            "sqlite://secret.db",
            "secret",
        ] {
            let said = check_engine(url).unwrap_err();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
