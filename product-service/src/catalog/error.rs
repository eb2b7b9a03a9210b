//! Why the catalogue says no or cannot answer.

use service_kit::problem::FieldError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Fields that are out of range, at least one.
    #[error("{} fields are out of range", .0.len())]
    Invalid(Vec<FieldError>),
    /// No such product.
    #[error("no such product")]
    NotFound,
    /// The database does not answer, or holds what the code could not have written.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
