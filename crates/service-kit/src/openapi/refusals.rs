//! What an operation refuses, and how it fails.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::{
    AllOfBuilder, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response,
    ResponseBuilder,
    schema::{SchemaType, Type},
};

use crate::problem;

/// The refusals and failures of one operation, by status and code.
#[derive(Debug, Clone)]
pub struct Refusals(BTreeMap<u16, BTreeSet<&'static str>>);

impl Default for Refusals {
    fn default() -> Self {
        Self::new()
    }
}

impl Refusals {
    /// What may happen to any request: it is too long, we are full, it takes too long, we fail.
    pub fn new() -> Self {
        Self(BTreeMap::new()).also([
            (413, "INVALID"),
            (500, "INTERNAL"),
            (503, "OVERLOADED"),
            (503, "UNAVAILABLE"),
        ])
    }

    /// What may be wrong with a path or a query.
    #[must_use]
    pub fn parameters(self) -> Self {
        self.also([(422, "INVALID")])
    }

    /// What may be wrong with a JSON body.
    #[must_use]
    pub fn body(self) -> Self {
        self.also([(400, "INVALID"), (415, "INVALID"), (422, "INVALID")])
    }

    /// Nobody whom we know is calling.
    #[must_use]
    pub fn unauthorized(self) -> Self {
        self.also([(401, "UNAUTHORIZED")])
    }

    /// Codes with their statuses.
    #[must_use]
    pub fn also(mut self, codes: impl IntoIterator<Item = (u16, &'static str)>) -> Self {
        for (status, code) in codes {
            self.0.entry(status).or_default().insert(code);
        }
        self
    }

    /// As they stand in the document.
    pub fn responses(self) -> BTreeMap<String, RefOr<Response>> {
        let responses = self.0.into_iter();
        responses
            .map(|(status, codes)| (status.to_string(), response(status, &codes).into()))
            .collect()
    }
}

fn response(status: u16, codes: &BTreeSet<&'static str>) -> Response {
    let named: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let error = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(codes.iter().copied()));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("error", error));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description(named.join(", "))
        .content(problem::CONTENT_TYPE, content);
    match status {
        401 => response.header(
            "WWW-Authenticate",
            header("How to say who is calling.", Type::String),
        ),
        429 | 503 => response.header("Retry-After", header("Seconds to wait.", Type::Integer)),
        _ => response,
    }
    .build()
}

fn header(description: &str, kind: Type) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(SchemaType::Type(kind));
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// Names the refusals of one operation, so that `#[utoipa::path(responses(…))]` can list them.
#[macro_export]
macro_rules! refusals {
    ($name:ident = $refusals:expr) => {
        /// What the operation refuses.
        pub(super) struct $name;

        impl $crate::openapi::utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                $crate::openapi::utoipa::openapi::RefOr<$crate::openapi::utoipa::openapi::Response>,
            > {
                $refusals.responses()
            }
        }
    };
}
