//! Parameters in the path.

use axum::extract::{FromRequestParts, RawPathParams, path::ErrorKind, rejection::PathRejection};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The parameters of the route; 422 with the field named when one is malformed.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                let names = names(parts, state).await;
                let (field, message) = explain(error.into_kind(), &names)?;
                Err(Problem::invalid_field(field, message))
            }
            Err(_) => Err(misrouted("the route has no parameters")),
        }
    }
}

/// The names of the route's parameters, in order.
async fn names<S: Send + Sync>(parts: &mut Parts, state: &S) -> Vec<String> {
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
        Err(_) => Vec::new(),
    }
}

/// Field and message. A single parameter is decoded without its name, so the route's is taken.
fn explain(kind: ErrorKind, names: &[String]) -> Result<(String, String), Problem> {
    let name = |index: usize| {
        names
            .get(index)
            .cloned()
            .unwrap_or_else(|| "path".to_owned())
    };
    let must_be = |expected: &str| format!("must be a {expected}");
    match kind {
        ErrorKind::ParseErrorAtKey {
            key, expected_type, ..
        } => Ok((key, must_be(expected_type))),
        ErrorKind::ParseErrorAtIndex {
            index,
            expected_type,
            ..
        } => Ok((name(index), must_be(expected_type))),
        ErrorKind::ParseError { expected_type, .. } => Ok((name(0), must_be(expected_type))),
        ErrorKind::InvalidUtf8InPathParam { key } => Ok((key, "must be valid UTF-8".to_owned())),
        ErrorKind::DeserializeError { key, message, .. } => Ok((key, message)),
        ErrorKind::Message(message) => Ok((name(0), message)),
        other => Err(misrouted(&other.to_string())),
    }
}

/// The handler asks for parameters that its route does not have: a fault of ours.
fn misrouted(what: &str) -> Problem {
    tracing::error!(what, "a handler's path parameters do not fit its route");
    Problem::new(500, "INTERNAL", "something went wrong on our side")
}
