//! Free TCP ports.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use socket2::{Domain, Socket, Type};

/// Below the ephemeral range, so that no outgoing connection takes a port between our check and the server's bind.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

/// Whether a server could listen on this port of 127.0.0.1.
#[must_use]
pub fn is_free(port: u16) -> bool {
    bind(port).is_ok()
}

/// Binds without listening. A process forked by another thread at this moment inherits the socket until it starts its
/// program; a listening one would keep the port taken for as long.
fn bind(port: u16) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    Ok(socket)
}

/// A free port that this process has not returned before; processes start at different numbers.
///
/// # Panics
///
/// When all ports of the range are taken.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (process::id().wrapping_mul(2_654_435_761) >> 16) % u32::from(COUNT);
    (0..COUNT)
        .map(|_| {
            let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            FIRST + u16::try_from((start + step) % u32::from(COUNT)).unwrap_or(0)
        })
        .find(|port| is_free(*port))
        .expect("a free TCP port on 127.0.0.1")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_in_use_is_not_given() {
        let port = free_port();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        assert_ne!(free_port(), port);
        drop(listener);
    }

    #[test]
    fn a_port_that_a_check_still_holds_can_be_listened_on() {
        let port = free_port();
        let _inherited = bind(port).unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }
}
