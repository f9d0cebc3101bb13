//! The accept loop: hyper's HTTP/1 with the limits that poem's own server does not set, feeding poem.

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

/// A request's head may have so many bytes (beyond it the answer is 431), and a connection buffers no more.
const BUFFER: usize = 16 * 1024;

/// A request's head may have so many fields.
const FIELDS: usize = 64;

/// How a listener treats its clients.
#[derive(Clone)]
pub struct Limits {
    /// Clients at a time; further ones wait in the kernel's queue.
    pub connections: usize,
    /// For a request's head to arrive, also on a connection kept open, and for a client to take some of its answer.
    pub header_timeout: Duration,
    /// For what runs at the end to finish.
    pub grace: Duration,
    /// What is answered to a head that cannot be read.
    pub refusal: Refusal,
}

/// Serves `endpoint` until `stop`, then lets what runs finish.
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

/// A client that is gone before it was accepted is its own affair; a process without file handles has to wait for one.
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
