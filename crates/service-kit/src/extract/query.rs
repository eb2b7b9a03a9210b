//! Query strings.

use std::error::Error as _;

use axum::extract::{FromRequestParts, rejection::QueryRejection};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{field_of, words::plain};
use crate::problem::Problem;

/// The query string; 422 with the field named when it does not fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

type PathError = serde_path_to_error::Error<serde::de::value::Error>;

fn refusal(rejection: &QueryRejection) -> Problem {
    let cause = rejection.source().and_then(|error| error.source());
    let Some(error) = cause.and_then(|error| error.downcast_ref::<PathError>()) else {
        return Problem::invalid_field("query", rejection.body_text());
    };
    let message = error.inner().to_string();
    match field_of(&error.path().to_string(), &message).as_str() {
        "" => Problem::invalid_field("query", plain(&message)),
        field => Problem::invalid_field(field, plain(&message)),
    }
}
