//! PostgreSQL: `database` is a pool and what workers keep of it, `connect` opens it, `migrate` brings a schema
//! up to date, `reach` waits for the server, `schema` binds connections to a schema, `tls` says what of TLS a
//! URL cannot have.

mod connect;
mod database;
mod migrate;
mod reach;
mod schema;
mod tls;

pub use self::database::{PostgresDatabase, Working};
pub(crate) use self::{connect::connect, migrate::migrate, reach::wait_until_reachable};
