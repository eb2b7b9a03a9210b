//! What of the document of an interface (OpenAPI 3.1) every service has, and the page to try it.
//!
//! - [`document`]: an empty document with the problem and the ways to say who is calling; routers add their
//!   operations to it.
//! - [`Refusals`], [`refusals!`](crate::refusals): what an operation refuses, and how it fails.
//! - [`router`]: `/`, `/openapi.json` and `/docs`.

mod index;
mod page;
mod refusals;

use utoipa::{
    PartialSchema as _, ToSchema as _,
    openapi::{
        ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

pub use self::{page::router, refusals::Refusals};
use crate::problem::{Body, FieldError};

#[doc(hidden)]
pub use utoipa;

/// Name of the way to say who is calling by a bearer token.
pub const BEARER: &str = "bearer";
/// Name of the way to say who is calling by `X-User-ID`.
pub const USER: &str = "user";

/// A document without operations.
pub fn document(title: &str, description: &str) -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "`ADMIN_TOKEN`. Without one the service answers callers on its own machine only.",
        ));
    let user = ApiKeyValue::with_description(
        "X-User-ID",
        "The buyer, a UUID. Set by a gateway that knows him, or by whoever sits on the service's machine.",
    );
    let components = ComponentsBuilder::new()
        .schema("Problem", Body::schema())
        .schema(FieldError::name(), FieldError::schema())
        .security_scheme(BEARER, SecurityScheme::Http(bearer.build()))
        .security_scheme(USER, SecurityScheme::ApiKey(ApiKey::Header(user)));
    let info = InfoBuilder::new()
        .title(title)
        .description(Some(description))
        .version(env!("CARGO_PKG_VERSION"));
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components.build()))
        .build()
}
