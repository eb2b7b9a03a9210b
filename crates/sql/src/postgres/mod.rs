//! PostgreSQL: `connect` opens pools, `migrate` brings a schema up to date, `reach` waits for the server,
//! `schema` binds connections to a schema.

mod connect;
mod migrate;
mod reach;
mod schema;

pub(crate) use self::{connect::connect, migrate::migrate, reach::wait_until_reachable};
