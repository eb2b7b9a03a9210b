//! PostgreSQL: `connect` opens pools, `migrate` brings a schema up to date, `reach` waits for the server,
//! `schema` binds connections to a schema, `tls` says what of TLS a URL cannot have.

mod connect;
mod migrate;
mod reach;
mod schema;
mod tls;

pub(crate) use self::{connect::connect, migrate::migrate, reach::wait_until_reachable};
