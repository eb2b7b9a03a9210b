//! Why there is no usable database.

use std::{io, path::PathBuf, time::Duration};

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The URL cannot be read. The message does not repeat it.
    #[error(
        "the database URL cannot be read: it must look like postgres://user:password@host:5432/name, \
         or like sqlite:///var/lib/shop.db, without anything behind the path"
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
        "{place} is at migration {version}, which this version of the program does not know: \
         a newer version has run here, so run that one or a later one"
    )]
    Newer {
        /// The schema, or the file.
        place: String,
        /// The latest migration applied.
        version: i64,
    },
    /// A migration failed, or one that was applied has changed since.
    #[error("{place}: {source}")]
    Migrate {
        /// The schema, or the file.
        place: String,
        /// What sqlx says.
        source: sqlx::migrate::MigrateError,
    },
    /// The file's folder is not there. It is not created, since it may be a mistyped one.
    #[error("there is no folder {}: create it, or name another", .0.display())]
    NoFolder(PathBuf),
    /// The file, or its folder, cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process has the file open, or another [`crate::Database`] of this one.
    #[error(
        "{} is in use by {by}: one program at a time, so stop that one, or use another file",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who has it, as far as we know.
        by: String,
    },
    /// The file is there and is something else.
    #[error("{} is no SQLite database: it is left as it is; name another file", .0.display())]
    NoDatabase(PathBuf),
    /// The file is a database of somebody else.
    #[error(
        "{} holds {owner}, not the tables of {schema}: it is left as it is; name another file",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose tables it holds.
        owner: String,
        /// Whose it should hold.
        schema: &'static str,
    },
    /// Any other error of the database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
