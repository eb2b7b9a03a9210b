//! Ports on 127.0.0.1 that stay a test's own while their server is down.
//!
//! They lie below the range from which the kernel takes local ports for outgoing connections: otherwise any
//! client could be given the port of a server that a test has just killed and wants to start again.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use super::scratch;

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A free port, leased until it is dropped or the process ends: no other test process is given it.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _lease: Option<File>,
}

impl Port {
    /// Leases a port on which nothing listens.
    ///
    /// # Panics
    /// When none of 12,000 is free.
    pub fn free() -> Self {
        // Every process begins elsewhere, and a port that was just given back is not given out again at once.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let begin = std::process::id().wrapping_mul(131);
        (0..COUNT)
            .find_map(|_| {
                let turn = NEXT.fetch_add(1, Ordering::Relaxed);
                let number = FIRST + begin.wrapping_add(turn) % COUNT;
                Self::lease(u16::try_from(number).expect("the range lies below 65536"))
            })
            .expect("a port between 20000 and 31999 is free")
    }

    /// This one, which somebody has chosen; it is nobody's lease.
    ///
    /// # Errors
    /// When another program listens there.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address)?;
        Ok(Self {
            address,
            _lease: None,
        })
    }

    /// The port's number.
    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// Where it is, as services take it: `127.0.0.1:20001`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port's URL, without a path: `http://127.0.0.1:20001`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address())
    }

    fn lease(number: u16) -> Option<Self> {
        let ports = scratch::root().join("ports");
        fs::create_dir_all(&ports).expect("the root of the runs is writable");
        let lease = File::create(ports.join(number.to_string())).expect("a lease can be made");
        lease.try_lock().ok()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, number));
        TcpListener::bind(address).ok()?;
        Some(Self {
            address,
            _lease: Some(lease),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leased_port_is_not_leased_again() {
        let port = Port::free();
        assert!(Port::lease(port.number()).is_none());
    }

    #[test]
    fn a_port_that_is_listened_on_is_not_leased() {
        let port = Port::free();
        let (number, address) = (port.number(), port.address());
        let listener = TcpListener::bind(address).unwrap();
        drop(port);
        assert!(Port::lease(number).is_none());
        assert!(Port::at(address).is_err());
        drop(listener);
    }
}
