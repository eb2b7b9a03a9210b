//! HTTP to a running shop.
//!
//! - [`Base`]: where it is; `tls`: whom to trust. [`Connection`]: one kept-alive connection, for crowds.
//! - [`Shop`]: calls with JSON in and out, each over a connection of its own or within this process;
//!   [`CallError`] says why one brought nothing.

mod base;
mod connection;
mod shop;
mod tls;

pub(crate) use self::{
    base::{Base, USUAL_OPS_URL, USUAL_URL},
    connection::Connection,
    shop::{CallError, Shop, Way, path_of},
};
