//! Bearer tokens for callers that may change things.

use std::{
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use futures::future::{Either, Ready, ready};
use http::{HeaderMap, HeaderValue, Uri, header};
use subtle::ConstantTimeEq as _;
use tower::{Layer, Service};

use crate::{config::Secret, problem::Problem};

/// Who may call.
#[derive(Debug, Clone)]
pub enum Access {
    /// Anyone who reaches the listener, which is on loopback; but no page from elsewhere in a browser on
    /// this machine, which reaches it too.
    Open,
    /// Whoever shows this token.
    Token(Secret),
}

/// Decides who may call a listener on `addr`.
///
/// # Errors
/// When `addr` is reachable from beyond this machine and there is no token; the message names
/// `variable`, which would set it.
pub fn require_token(
    addr: SocketAddr,
    token: Option<&Secret>,
    variable: &'static str,
) -> Result<Access, String> {
    match token {
        Some(token) => Ok(Access::Token(token.clone())),
        None if addr.ip().to_canonical().is_loopback() => Ok(Access::Open),
        None => Err(format!(
            "{variable} is not set, but {addr} can be reached from beyond this machine: \
             set {variable}, or listen on 127.0.0.1"
        )),
    }
}

/// Whether a caller with this `Authorization` header may pass. The comparison takes the same time
/// wherever the tokens differ.
pub fn check(access: &Access, header: Option<&str>) -> bool {
    let Access::Token(token) = access else {
        return true;
    };
    let Some((scheme, shown)) = header.and_then(|header| header.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer")
        && bool::from(shown.trim().as_bytes().ct_eq(token.expose().as_bytes()))
}

/// Whether a browser sent this for a page that did not come from this machine. Browsers ask nobody before
/// they send a simple `POST`, so that leaving out CORS does not keep such pages away.
fn is_foreign_page(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.any(|origin| !origin.to_str().is_ok_and(is_local_origin))
}

fn is_local_origin(origin: &str) -> bool {
    let uri = origin.parse::<Uri>();
    let host = uri.as_ref().ok().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Answers 401 `UNAUTHORIZED` to callers that may not pass.
pub fn bearer_layer(access: Access) -> BearerLayer {
    BearerLayer { access }
}

/// See [`bearer_layer`].
#[derive(Debug, Clone)]
pub struct BearerLayer {
    access: Access,
}

impl<S> Layer<S> for BearerLayer {
    type Service = BearerService<S>;
    fn layer(&self, inner: S) -> BearerService<S> {
        BearerService {
            inner,
            access: self.access.clone(),
        }
    }
}

/// See [`bearer_layer`].
#[derive(Debug, Clone)]
pub struct BearerService<S> {
    inner: S,
    access: Access,
}

impl<S> Service<Request> for BearerService<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let headers = request.headers();
        if matches!(self.access, Access::Open) && is_foreign_page(headers) {
            return Either::Left(ready(Ok(refusal(FOREIGN_PAGE))));
        }
        let header = headers.get(header::AUTHORIZATION);
        if check(&self.access, header.and_then(|header| header.to_str().ok())) {
            return Either::Right(self.inner.call(request));
        }
        Either::Left(ready(Ok(refusal("a valid bearer token is required"))))
    }
}

const FOREIGN_PAGE: &str = "a page of another machine cannot call a service that has no token";

fn refusal(why: &str) -> Response {
    let problem = Problem::new(401, "UNAUTHORIZED", why);
    let mut response = problem.into_response();
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        text.parse().unwrap()
    }

    #[test]
    fn beyond_loopback_a_token_is_needed_and_named() {
        let open: SocketAddr = "0.0.0.0:8080".parse().unwrap();
        let error = require_token(open, None, "ADMIN_TOKEN").unwrap_err();
        assert!(
            error.contains("ADMIN_TOKEN") && error.contains("0.0.0.0:8080"),
            "{error}"
        );
        let token = secret("s3cret");
        assert!(matches!(
            require_token(open, Some(&token), "ADMIN_TOKEN"),
            Ok(Access::Token(_))
        ));
        for local in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            let access = require_token(local.parse().unwrap(), None, "ADMIN_TOKEN");
            assert!(matches!(access, Ok(Access::Open)), "{local}");
        }
    }

    #[test]
    fn only_pages_of_this_machine_are_local() {
        let page = |origin: &'static str| {
            is_foreign_page(&HeaderMap::from_iter([(
                header::ORIGIN,
                HeaderValue::from_static(origin),
            )]))
        };
        for origin in [
            "http://localhost:8081",
            "http://127.0.0.1:8081",
            "https://[::1]:3000",
        ] {
            assert!(!page(origin), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "null",
            "",
        ] {
            assert!(page(origin), "{origin}");
        }
        assert!(!is_foreign_page(&HeaderMap::new()));
    }

    #[test]
    fn only_the_token_itself_passes() {
        let access = Access::Token(secret("s3cret"));
        for header in ["Bearer s3cret", "bearer s3cret"] {
            assert!(check(&access, Some(header)), "{header:?}");
        }
        for header in [
            "Bearer s3cre",
            "Bearer s3cret2",
            "Bearer ",
            "Bearer",
            "Basic s3cret",
            "s3cret",
            "",
        ] {
            assert!(!check(&access, Some(header)), "{header:?}");
        }
        assert!(!check(&access, None));
        assert!(check(&Access::Open, None));
    }
}
