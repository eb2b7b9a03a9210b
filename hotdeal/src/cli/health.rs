//! `hotdeal health`, for whoever looks after containers: the image has no other program to ask with.

use std::io;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use service_kit::out;

use super::failure::Failure;
use crate::client::{Base, Connection};

/// Asks the ops port whether the service can do its work, and prints what it answers. A service that is
/// degraded can.
pub(super) async fn perform(ops: &Base) -> Result<(), Failure> {
    let (status, report) = ask(ops).await.map_err(|source| Failure::Silent {
        base: ops.clone(),
        source,
    })?;
    if status != StatusCode::OK {
        return Err(Failure::Unready(report.to_string()));
    }
    out::line(report);
    Ok(())
}

async fn ask(ops: &Base) -> io::Result<(StatusCode, Value)> {
    let request = Request::get(ops.target("/health/ready").map_err(io::Error::other)?)
        .header(header::HOST, ops.authority())
        .body(Full::new(Bytes::new()))
        .map_err(io::Error::other)?;
    let (status, body) = Connection::open(ops).await?.send(request).await?;
    Ok((status, serde_json::from_slice(&body)?))
}
