//! Listeners.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted; the kernel caps it at `net.core.somaxconn`. A sale begins with
/// thousands of them in one instant, and one that finds the queue full comes back a second later.
const QUEUE_LEN: u32 = 4096;

/// Listens on `addr`; port 0 takes a free one. Must be called inside a tokio runtime.
///
/// # Errors
/// In words that name `variable`, which sets the address.
pub async fn bind(addr: SocketAddr, variable: &'static str) -> Result<TcpListener, String> {
    listen(addr).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => format!(
            "another program listens on {addr} already: stop it, or choose another address, such as \
             {variable}={}",
            SocketAddr::new(addr.ip(), addr.port().wrapping_add(10).max(1024))
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

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE_LEN)
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
