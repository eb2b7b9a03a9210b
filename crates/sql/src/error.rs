//! Why there is no usable database.

use std::time::Duration;

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The URL cannot be read. The message does not repeat it.
    #[error(
        "the database URL cannot be read: it must look like postgres://user:password@host:5432/name"
    )]
    Url,
    /// The name of the schema is none that needs no quotes.
    #[error("{0:?} is no schema name: lower-case letters, digits and underscores")]
    SchemaName(String),
    /// The file of the authority that is to be trusted cannot be read.
    #[error("sslrootcert: {file} cannot be read: {source}")]
    RootCert {
        /// As the URL names it.
        file: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Nothing answered.
    #[error("the database at {place} did not answer within {patience:?}: {source}")]
    Unreachable {
        /// Host, port and database name.
        place: String,
        /// How long we waited.
        patience: Duration,
        /// The last attempt's error.
        source: sqlx::Error,
    },
    /// A later version of this program has migrated the schema: this one does not know its tables.
    #[error(
        "schema {schema} is at migration {version}, which this version of the program does not know: \
         a newer version has run here, so run that one or a later one"
    )]
    Newer {
        /// Name of the schema.
        schema: String,
        /// The latest migration applied.
        version: i64,
    },
    /// A migration failed, or one that was applied has changed since.
    #[error("schema {schema}: {source}")]
    Migrate {
        /// Name of the schema.
        schema: String,
        /// What sqlx says.
        source: sqlx::migrate::MigrateError,
    },
    /// Any other error of the database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
