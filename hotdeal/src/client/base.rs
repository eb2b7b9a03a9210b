//! Where a shop is.

use std::{fmt, path::Path, str::FromStr};

use http::{
    Uri,
    uri::{PathAndQuery, Scheme},
};

use super::tls::Tls;

/// Where a shop is if nobody says otherwise.
pub(crate) const USUAL_URL: &str = "http://127.0.0.1:8080";

/// Where the ops port of `hotdeal run` is, and that of every container.
pub(crate) const USUAL_OPS_URL: &str = "http://127.0.0.1:9100";

/// The URL under which a shop's paths stand.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    authority: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// How `https://` is spoken; `None`: `http://`.
    pub(super) tls: Option<Tls>,
    /// What stands before every path; empty or begins with `/`.
    prefix: String,
}

impl Base {
    /// The same shop, which must show a certificate of the authorities in this file.
    pub(crate) fn trusting(mut self, file: &Path) -> Result<Self, String> {
        let tls = Tls::of_file(file)?;
        self.tls = self.tls.map(|_| tls);
        Ok(self)
    }

    /// Host and port as the URL has them, for the header `host`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The target of a request for `path`, which begins with `/` and is escaped already.
    pub(crate) fn target(&self, path: &str) -> Result<Uri, http::Error> {
        let path: PathAndQuery = format!("{}{path}", self.prefix).parse()?;
        Ok(Uri::from(path))
    }
}

impl FromStr for Base {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("must be a URL such as {USUAL_URL}");
        let uri: Uri = text.trim().parse().map_err(|_| wrong())?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => None,
            Some(scheme) if *scheme == Scheme::HTTPS => Some(Tls::of_machine()?),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(wrong());
        }
        // A literal IPv6 address stands in brackets, which only the URL wants.
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self {
            authority: authority.to_string(),
            host,
            port: authority
                .port_u16()
                .unwrap_or(if tls.is_some() { 443 } else { 80 }),
            tls,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_under_the_base() {
        let base: Base = "http://shop.example:81/api/".parse().unwrap();
        assert_eq!((base.host.as_str(), base.port), ("shop.example", 81));
        let target = base.target("/orders?page=1").unwrap();
        assert_eq!(target, "/api/orders?page=1");
        assert_eq!(base.to_string(), "http://shop.example:81/api");
        let plain: Base = "http://[::1]".parse().unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("::1", 80));
        assert_eq!(plain.target("/").unwrap(), "/");
        let secret: Base = "https://shop.example".parse().unwrap();
        assert_eq!(
            (secret.port, secret.to_string().as_str()),
            (443, "https://shop.example")
        );
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for text in ["", "127.0.0.1:8080", "ftp://x", "http://u:p@x"] {
            assert!(text.parse::<Base>().is_err(), "{text:?}");
        }
    }
}
