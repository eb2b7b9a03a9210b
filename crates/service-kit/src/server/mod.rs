//! Servers that suffer nothing.
//!
//! - [`bind`]: a listener, or clear words why not.
//! - [`serve_http`] with [`HttpLimits`]: slow heads, slow and large bodies, too many connections and
//!   too many requests end in an answer or a close; `guard` is what every request passes.
//! - [`builder`], [`serve_grpc`] with [`GrpcLimits`]: the same for gRPC; `shed` refuses what is too much.

mod bind;
mod grpc;
mod guard;
mod http;
mod shed;

pub use self::{
    bind::bind,
    grpc::{GrpcLimits, GrpcServer, MESSAGE_LEN_MAX, builder, serve_grpc},
    http::{HttpLimits, serve_http},
    shed::{ShedLayer, ShedService},
};
