//! A TCP proxy for fault tests: it can cut, stall, delay and refuse connections.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Behaviour of the proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Condition {
    /// New connections are closed at once.
    refuses: bool,
    /// Nothing moves, in either direction.
    stalls: bool,
    /// Delay of each chunk of data.
    latency: Duration,
    /// Connections made before the last cut are closed.
    cuts: u64,
}

/// A running proxy. It ends on drop, which cuts its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: Arc<watch::Sender<Condition>>,
    upstream: Arc<Mutex<String>>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free local port and forwards to `upstream`, such as `127.0.0.1:5432`. The upstream may start later.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port's address");
        let weather = Arc::new(watch::Sender::new(Condition::default()));
        let upstream = Arc::new(Mutex::new(upstream.to_owned()));
        let (target, changes) = (Arc::clone(&upstream), Arc::clone(&weather));
        let server = tokio::spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            loop {
                while passing.try_join_next().is_some() {}
                let Ok((client, _)) = listener.accept().await else { continue };
                if !changes.borrow().refuses {
                    let target = target.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    passing.spawn(pass(client, target, changes.subscribe()));
                }
            }
        });
        Self { address, weather, upstream, server }
    }

    /// Where it listens: `127.0.0.1:…`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Closes every connection and sends new ones to another address.
    pub fn move_to(&self, upstream: &str) {
        upstream.clone_into(&mut self.upstream.lock().unwrap_or_else(PoisonError::into_inner));
        self.cut();
    }

    /// Closes every connection.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Closes every connection, and new ones at once until [`Self::clear`].
    pub fn refuse(&self) {
        self.weather.send_modify(|weather| {
            weather.refuses = true;
            weather.cuts += 1;
        });
    }

    /// Stalls all data until [`Self::clear`]; connections stay open.
    pub fn stall(&self) {
        self.weather.send_modify(|weather| weather.stalls = true);
    }

    /// Delays each chunk of data by this long until [`Self::clear`].
    pub fn slow(&self, latency: Duration) {
        self.weather.send_modify(|weather| weather.latency = latency);
    }

    /// Forwards normally again.
    pub fn clear(&self) {
        self.weather
            .send_modify(|weather| *weather = Condition { cuts: weather.cuts, ..Condition::default() });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// One connection, until either side ends it or it is cut.
async fn pass(client: TcpStream, upstream: String, mut weather: watch::Receiver<Condition>) {
    let cuts = weather.borrow().cuts;
    let cut = weather.clone();
    let passing = async {
        let Ok(server) = TcpStream::connect(upstream).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        // One side's end closes both: half-closed connections are not used by what is tested.
        tokio::select! {
            _ = copy(from_client, to_server, cut.clone()) => {}
            _ = copy(from_server, to_client, cut) => {}
        }
    };
    tokio::select! {
        () = passing => {}
        _ = weather.wait_for(|weather| weather.cuts > cuts) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut weather: watch::Receiver<Condition>,
) -> std::io::Result<()> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        let latency = match weather.wait_for(|weather| !weather.stalls).await {
            Ok(weather) => weather.latency,
            Err(_) => return Ok(()),
        };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        to.write_all(&piece[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// How long to wait for data that must not arrive.
    const MOMENT: Duration = Duration::from_millis(200);

    /// Echoes each chunk.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = client.into_split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn say(stream: &mut TcpStream) -> std::io::Result<()> {
        stream.write_all(b"hello").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"hello");
        Ok(())
    }

    #[tokio::test]
    async fn what_goes_through_can_be_held_back_cut_and_refused() {
        let proxy = Proxy::start(&echo().await.to_string()).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        say(&mut stream).await.unwrap();
        proxy.stall();
        assert!(timeout(MOMENT, say(&mut stream)).await.is_err(), "nothing comes back");
        proxy.clear();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        proxy.cut();
        assert!(say(&mut stream).await.is_err());
        say(&mut TcpStream::connect(proxy.address()).await.unwrap()).await.unwrap();
        proxy.refuse();
        assert!(say(&mut TcpStream::connect(proxy.address()).await.unwrap()).await.is_err());
        proxy.clear();
        say(&mut TcpStream::connect(proxy.address()).await.unwrap()).await.unwrap();
    }
}
