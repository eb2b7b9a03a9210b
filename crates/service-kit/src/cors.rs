//! Which pages of other origins may call (CORS), and what of an answer they may see.
//!
//! Cookies are never allowed: a caller shows a token or a header that a page has to know. Pages of a named
//! origin may do what any client may; with `*`, any page may read what everybody may read, and may send
//! nothing that says who is calling.

use std::{str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, Any, CorsLayer};

/// How long a browser may remember the answer to its question.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The headers of ours that a page may send.
const SENT: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("x-user-id"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static(crate::trace::HEADER),
];

/// The headers of ours that a page may read.
const SHOWN: [HeaderName; 4] = [
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("idempotent-replayed"),
];

/// One entry of `CORS_ORIGINS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `*`.
    Any,
    /// `scheme://host` or `scheme://host:port`, as a browser writes it.
    Named(HeaderValue),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        named(text.trim()).ok_or_else(|| {
            "must be * or origins such as https://shop.example:8443, without a path".to_owned()
        })
    }
}

fn named(text: &str) -> Option<Origin> {
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let is_web = matches!(scheme, "http" | "https") && !authority.as_str().contains('@');
    let default_port = if scheme == "https" { 443 } else { 80 };
    // Browsers leave the default port out, and would never match an origin that has it.
    let host = match uri.port_u16() {
        Some(port) if port == default_port => authority.host(),
        _ => authority.as_str(),
    };
    let is_origin = is_web && text == format!("{scheme}://{authority}");
    let origin = format!("{scheme}://{host}").to_ascii_lowercase();
    is_origin.then(|| HeaderValue::try_from(origin).ok().map(Origin::Named))?
}

/// The pages that may call; by default none but our own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors(Vec<Origin>);

impl Cors {
    /// # Errors
    /// When `*` stands beside named origins: which of the two was meant is not clear.
    pub(crate) fn new(origins: &[Origin]) -> Result<Self, String> {
        if origins.contains(&Origin::Any) && origins.len() > 1 {
            return Err("CORS_ORIGINS must be either * or a list of origins, not both".to_owned());
        }
        Ok(Self(origins.to_vec()))
    }

    /// What answers a browser's questions, which need no token; `None`: they are not answered.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        let layer = CorsLayer::new().max_age(MAX_AGE).expose_headers(SHOWN);
        match self.0.as_slice() {
            [] => None,
            [Origin::Any] => Some(
                layer
                    .allow_origin(Any)
                    .allow_methods([Method::GET, Method::HEAD])
                    .allow_headers([HeaderName::from_static(crate::trace::HEADER)]),
            ),
            origins => Some(
                layer
                    .allow_origin(AllowOrigin::list(origins.iter().filter_map(
                        |origin| match origin {
                            Origin::Any => None,
                            Origin::Named(name) => Some(name.clone()),
                        },
                    )))
                    .allow_methods(AllowMethods::list([
                        Method::GET,
                        Method::HEAD,
                        Method::POST,
                        Method::PATCH,
                        Method::DELETE,
                    ]))
                    .allow_headers(AllowHeaders::list(SENT)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, name) in [
            ("https://shop.example", "https://shop.example"),
            (" http://localhost:3000 ", "http://localhost:3000"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let expected = Origin::Named(HeaderValue::from_static(name));
            assert_eq!(text.parse(), Ok(expected), "{text:?}");
        }
        assert_eq!("*".parse(), Ok(Origin::Any));
        for text in [
            "",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/a",
            "https://u:p@shop.example",
            "ftp://shop.example",
            "https://*.example/",
            "null",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn any_origin_beside_a_named_one_is_refused() {
        let both: Vec<Origin> = ["*", "https://a"].map(|text| text.parse().unwrap()).into();
        assert!(Cors::new(&both).unwrap_err().contains("CORS_ORIGINS"));
    }
}
