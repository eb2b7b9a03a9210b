//! Values that never show.

use std::{fmt, str::FromStr};

/// What stands in a secret's place.
pub(super) const MASK: &str = "***";

/// A token or password. `Debug` and `Display` print `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A URL that may hold a password. `Debug` and `Display` mask it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

/// Text that cannot be a secret or a URL. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Nothing at all: an empty token would let everyone pass.
    #[error("must not be empty: leave the variable unset instead")]
    Empty,
    /// No `scheme://`.
    #[error("must be a URL such as postgres://user:password@host/name")]
    NoUrl,
}

impl Secret {
    /// The secret itself. Hand it to whoever needs it, never to a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl SecretUrl {
    /// The whole URL. Hand it to whoever connects, never to a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = InvalidSecret;
    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        match text.trim() {
            "" => Err(InvalidSecret::Empty),
            text => Ok(Self(text.to_owned())),
        }
    }
}

impl FromStr for SecretUrl {
    type Err = InvalidSecret;
    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        match text.trim() {
            "" => Err(InvalidSecret::Empty),
            text if text.contains("://") => Ok(Self(text.to_owned())),
            _ => Err(InvalidSecret::NoUrl),
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_url(&self.0))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text with the password of a URL replaced, in `user:password@` and in `?password=`. Text that is
/// no URL stays as it is.
pub(super) fn mask_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (address, query) = match rest.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (rest, None),
    };
    let mut masked = format!("{scheme}://");
    match address.rsplit_once('@') {
        // The last `@`: a password that holds an unescaped one or a `/` must not show in part.
        Some((user, host)) => {
            masked.push_str(user.split(':').next().unwrap_or_default());
            if user.contains(':') {
                masked.push(':');
                masked.push_str(MASK);
            }
            masked.push('@');
            masked.push_str(host);
        }
        None => masked.push_str(address),
    }
    if let Some(query) = query {
        masked.push('?');
        masked.push_str(&mask_query(query));
    }
    masked
}

fn mask_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_only_when_asked() {
        let secret: Secret = " s3cret\n".parse().unwrap();
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.expose(), "s3cret");
        assert_eq!("  ".parse::<Secret>(), Err(InvalidSecret::Empty));
    }

    #[test]
    fn of_a_url_only_the_password_is_masked() {
        for (url, masked) in [
            ("postgres://u:p@h:5432/db", "postgres://u:***@h:5432/db"),
            ("postgres://u:p@ss/w:rd@h/db", "postgres://u:***@h/db"),
            ("redis://:p@h", "redis://:***@h"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("sqlite://a.db", "sqlite://a.db"),
            (
                "postgres://h/db?user=u&password=p&sslmode=disable",
                "postgres://h/db?user=u&password=***&sslmode=disable",
            ),
        ] {
            let parsed: SecretUrl = url.parse().unwrap();
            assert_eq!(parsed.to_string(), masked);
            assert_eq!(format!("{parsed:?}"), masked);
            assert_eq!(parsed.expose(), url);
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        assert_eq!("localhost".parse::<SecretUrl>(), Err(InvalidSecret::NoUrl));
        assert_eq!("".parse::<SecretUrl>(), Err(InvalidSecret::Empty));
    }
}
