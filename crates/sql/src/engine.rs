//! Which engine a URL names.

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL, a server: any number of replicas.
    Postgres,
    /// SQLite, a file: one process.
    Sqlite,
}

impl Engine {
    /// The engine that `url` names. The rest of the URL, a password among it, is not repeated.
    ///
    /// # Errors
    /// What a URL must begin with, in words that follow the name of the setting.
    pub fn of(url: &str) -> Result<Self, String> {
        let scheme = match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => return Ok(Self::Postgres),
            Some(("sqlite", _)) => return Ok(Self::Sqlite),
            Some((scheme, _)) => format!("{scheme}://"),
            None => "no scheme".to_owned(),
        };
        Err(format!(
            "has {scheme}: it must begin with postgres://, postgresql:// or sqlite://"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_engines_there_are_pass_and_passwords_are_not_repeated() {
        assert_eq!(Engine::of("postgres://a:b@c/d"), Ok(Engine::Postgres));
        assert_eq!(Engine::of("postgresql://a:b@c/d"), Ok(Engine::Postgres));
        assert_eq!(Engine::of("sqlite://shop.db"), Ok(Engine::Sqlite));
        for url in ["mysql://me:secret@host/shop", "secret", "sqlite:secret.db"] {
            let said = Engine::of(url).unwrap_err();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
