//! Who is asking: the header `X-User-ID`, which a trusted gateway sets. Without one in front, only
//! whoever sits on this machine is believed.

use std::sync::Arc;

use super::{Api, problem};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header::WWW_AUTHENTICATE, request::Parts},
    response::{IntoResponse as _, Response},
};
use domain::{ErrorCode, UserId};

const HEADER: &str = "x-user-id";

/// The buyer of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buyer(pub(super) UserId);

impl FromRequestParts<Arc<Api>> for Buyer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Response> {
        if !api.is_user_header_trusted {
            return Err(unknown(
                "is not believed here: TRUST_USER_HEADER is not set",
            ));
        }
        let mut values = parts.headers.get_all(HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(unknown("must be set once"));
        };
        let id = value.to_str().ok().and_then(|text| text.parse().ok());
        id.map(Self).ok_or_else(|| unknown("must be a UUID"))
    }
}

/// 401 with the challenge that HTTP demands of it: the header that is wanted is its scheme.
fn unknown(why: &'static str) -> Response {
    let problem = problem::of(ErrorCode::Unauthorized).field("X-User-ID", why);
    let mut response = problem.into_response();
    let challenge = HeaderValue::from_static("X-User-ID realm=\"hotdeal\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
