use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Networks;

/// The future of a lookup.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a host name.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of `host`. Called once for each connection.
    fn addresses(&self, host: &str) -> LookupFuture;
}

/// The lookup of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, host: &str) -> LookupFuture {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Resolves a name and lets its addresses pass only if all of them are permitted: a name with one private address
/// among public ones is refused as a whole.
pub(crate) struct CheckedResolver {
    pub lookup: Arc<dyn Lookup>,
    pub networks: Arc<Networks>,
    /// Whether the connections are without TLS.
    pub plain: bool,
}

/// The name could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("the host name could not be resolved")]
pub(crate) struct NotResolved;

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (networks, plain) = (Arc::clone(&self.networks), self.plain);
        let addresses = self.lookup.addresses(name.as_str());
        Box::pin(async move {
            let found = addresses.await.map_err(|_| NotResolved)?;
            if found.is_empty() {
                return Err(NotResolved.into());
            }
            for address in &found {
                networks.check_address(*address, plain)?;
            }
            // Port 0 is replaced by that of the URL.
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
