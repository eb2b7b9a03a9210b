//! Our own ports with TLS, over real sockets.
//!
//! - `bed`: a certificate's authority, servers that show its certificates, and clients that trust whom they
//!   are told to.
//! - `http`, `grpc`: whom a client trusts, and clients that do not speak TLS or stop in its middle.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bed;
mod grpc;
mod http;
