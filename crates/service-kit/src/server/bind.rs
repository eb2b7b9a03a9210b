//! Listeners.

use std::{io::ErrorKind, net::SocketAddr};

use tokio::net::TcpListener;

/// Listens on `addr`; port 0 takes a free one.
///
/// # Errors
/// In words that name `variable`, which sets the address.
pub async fn bind(addr: SocketAddr, variable: &'static str) -> Result<TcpListener, String> {
    TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => format!(
            "another program listens on {addr} already: stop it, or set {variable} to another address"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("{addr} is no address of this machine: set {variable} to another one")
        }
        ErrorKind::PermissionDenied => {
            format!("this user may not listen on {addr}: set {variable} to a port above 1023")
        }
        _ => format!("cannot listen on {addr} ({variable}): {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_said_with_its_variable() {
        let first = bind("127.0.0.1:0".parse().unwrap(), "A_ADDR")
            .await
            .unwrap();
        let addr = first.local_addr().unwrap();
        let error = bind(addr, "B_ADDR").await.unwrap_err();
        assert!(
            error.contains("B_ADDR") && error.contains(&addr.to_string()),
            "{error}"
        );
        let foreign = bind("192.0.2.1:0".parse().unwrap(), "B_ADDR")
            .await
            .unwrap_err();
        assert!(foreign.contains("no address of this machine"), "{foreign}");
    }
}
