//! Free TCP ports.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ephemeral range, so that no outgoing connection takes a port between our check and the server's bind.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

/// Whether a server could listen on this port of 127.0.0.1.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
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
    use super::*;

    #[test]
    fn a_port_in_use_is_not_given() {
        let port = free_port();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        assert_ne!(free_port(), port);
    }
}
