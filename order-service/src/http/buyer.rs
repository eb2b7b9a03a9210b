//! Who is asking: the header `X-User-ID`, which a trusted gateway sets. Without one in front, only
//! whoever sits on this machine is believed.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{ErrorCode, UserId};
use service_kit::problem::Problem;

use super::{Api, problem};

const HEADER: &str = "x-user-id";

/// The buyer of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buyer(pub(super) UserId);

impl FromRequestParts<Arc<Api>> for Buyer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let unknown = |why| problem::of(ErrorCode::Unauthorized).field("X-User-ID", why);
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
