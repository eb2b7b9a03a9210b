//! HTTP to a running shop.
//!
//! - [`Base`]: where it is. [`Connection`]: one kept-alive connection, for crowds.
//! - [`Shop`]: calls with JSON in and out, each over a connection of its own; [`CallError`] says why one
//!   brought nothing.

mod base;
mod connection;
mod shop;

pub(crate) use self::{
    base::Base,
    connection::Connection,
    shop::{CallError, Shop, path_of},
};
