//! PostgreSQL: `connect` opens pools, `migrate` brings a schema up to date, `reach` waits for the server,
//! `schema` binds connections to a schema, `tls` checks what a URL asks of TLS.

mod connect;
mod migrate;
mod reach;
mod schema;
mod tls;

pub(crate) use self::{connect::connect, migrate::migrate, reach::wait_until_reachable};
