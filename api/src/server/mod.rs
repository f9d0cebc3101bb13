//! The accept loop: hyper's HTTP/1 with limits that poem's own server does not have.

mod socket;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Addr, Endpoint, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
pub use socket::Refusal;
use socket::Socket;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Maximum size of a request's head (beyond it 431), and of a connection's buffer.
const BUFFER: usize = 16 * 1024;

/// Maximum number of header fields.
const FIELDS: usize = 64;

/// Limits of a listener.
#[derive(Clone)]
pub struct Limits {
    /// Most connections; further ones wait in the kernel's queue.
    pub connections: usize,
    /// Time for a request's head to arrive, also on a kept connection, and for a client to read more of its answer.
    pub header_timeout: Duration,
    /// Time for running requests to finish at shutdown.
    pub grace: Duration,
    /// The answer to an invalid head.
    pub refusal: Refusal,
}

/// Serves `endpoint` until `stop`, then lets running requests finish.
pub async fn serve<E>(listener: TcpListener, endpoint: Arc<E>, limits: Limits, stop: CancellationToken)
where
    E: Endpoint<Output = Response> + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let local = listener.local_addr().ok();
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                let connection = Connection { socket, peer, local };
                let served = connection.serve(Arc::clone(&endpoint), limits.clone(), stop.clone());
                connections.spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.grace, connections.wait()).await.is_err() {
        tracing::warn!(left = connections.len(), "connections did not end within the grace period");
    }
}

/// Errors of clients that disconnected are ignored; without free file handles the loop waits.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "a connection could not be accepted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

struct Connection {
    socket: TcpStream,
    peer: SocketAddr,
    local: Option<SocketAddr>,
}

impl Connection {
    async fn serve<E>(self, endpoint: Arc<E>, limits: Limits, stop: CancellationToken)
    where
        E: Endpoint<Output = Response> + 'static,
    {
        // Without it small answers may wait for an acknowledgement.
        let _ = self.socket.set_nodelay(true);
        let socket = Socket::new(self.socket, limits.header_timeout, limits.refusal);
        let (peer, local) = (self.peer, self.local.unwrap_or(self.peer));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let endpoint = Arc::clone(&endpoint);
            async move {
                let (local, peer) = (LocalAddr(Addr::SocketAddr(local)), RemoteAddr(Addr::SocketAddr(peer)));
                let request = poem::Request::from((request, local, peer, Scheme::HTTP));
                Ok::<hyper::Response<_>, Infallible>(endpoint.get_response(request).await.into())
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(BUFFER)
            .max_headers(FIELDS)
            .serve_connection(TokioIo::new(socket), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}
