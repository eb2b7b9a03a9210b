//! Servers that suffer nothing.
//!
//! - [`bind`]: a listener, or clear words why not. [`Front`] makes it a [`Port`] with TLS and CORS; `stream`
//!   is a connection, bare or inside TLS.
//! - [`serve_http`] with [`HttpLimits`]: slow heads, slow and large bodies, too many connections and
//!   too many requests end in an answer or a close; `guard` is what every request passes.
//! - [`builder`], [`serve_grpc`] with [`GrpcLimits`]: the same for gRPC; `shed` refuses what is too much,
//!   `handshake` connections that are too many or silent, `undecoded` what is no message.
//! - [`Draining`]: tells answers that last, such as streams of events, that the server stops.
//! - `accept` takes connections, `files` keeps some of the open files for everything else.

mod accept;
mod bind;
mod draining;
mod files;
mod grpc;
mod guard;
mod handshake;
mod http;
mod port;
mod shed;
mod stream;
mod undecoded;

pub use self::{
    bind::bind,
    draining::Draining,
    grpc::{GRPC_CONNECTIONS_MAX, GrpcLimits, GrpcRouter, GrpcServer, builder, serve_grpc},
    http::{HttpLimits, serve_http},
    port::{Front, Port},
    shed::{ShedLayer, ShedService},
    undecoded::{UndecodedLayer, UndecodedService},
};

/// Domain of the `ErrorInfo` in what the gRPC server itself answers, as in every answer of these services.
const ERROR_DOMAIN: &str = "hotdeal";
