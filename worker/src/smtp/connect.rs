//! Opens connections to the relay: TCP, TLS, banner, EHLO, STARTTLS, AUTH.

use std::io;
use std::sync::Arc;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::address::{Encryption, RelayAddress};
use super::connection::{Connection, OpenCount, Stream, within};
use super::failure::{Failure, Step};
use super::timeouts::Timeouts;
use super::trace::traced;

/// Opens connections for the pool.
pub(super) struct ConnectionManager {
    address: RelayAddress,
    /// Our name in EHLO.
    ehlo_name: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeouts: Timeouts,
    open: OpenCount,
}

impl ConnectionManager {
    pub fn new(
        address: RelayAddress,
        ehlo_name: String,
        timeouts: Timeouts,
        open: OpenCount,
    ) -> Result<Self, Failure> {
        let tls = match address.encryption {
            Encryption::None => None,
            Encryption::StartTls | Encryption::Tls => Some(tls(&address.host)?),
        };
        Ok(Self { address, ehlo_name, tls, timeouts, open })
    }
}

impl Manager for ConnectionManager {
    type Type = Connection;
    type Error = Failure;

    async fn create(&self) -> Result<Connection, Failure> {
        // Boxed: the future is large and rarely needed.
        Box::pin(traced(Step::Connect, self.open())).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Failure> {
        if connection.is_usable(self.timeouts.idle) {
            Ok(())
        } else {
            Err(RecycleError::message("its last mail did not end cleanly, or it was idle for too long"))
        }
    }
}

impl ConnectionManager {
    async fn open(&self) -> Result<Connection, Failure> {
        let limit = self.timeouts.greeting;
        let tcp = self.dial().await.map_err(|error| Failure::of_io(Step::Connect, &error))?;
        let mut stream: Box<dyn Stream> = Box::new(tcp);
        if self.address.encryption == Encryption::Tls {
            stream = self.encrypt(stream, Step::Connect).await?;
        }
        let mut connection = Connection::new(stream);
        connection.banner(limit).await?;
        let mut extensions = connection.ehlo(&self.ehlo_name, limit).await?;
        if self.address.encryption == Encryption::StartTls {
            connection.starttls(&extensions, limit).await?;
            connection = Connection::new(self.encrypt(connection.into_stream(), Step::StartTls).await?);
            extensions = connection.ehlo(&self.ehlo_name, limit).await?;
        }
        if let Some((user, password)) = &self.address.credentials {
            connection.auth(&extensions, user, password, limit).await?;
        }
        Ok(connection.established(&self.open))
    }

    async fn encrypt(&self, stream: Box<dyn Stream>, step: Step) -> Result<Box<dyn Stream>, Failure> {
        let Some((connector, name)) = &self.tls else {
            return Err(Failure::no_reply(step, "TLS is not set up"));
        };
        let handshake = connector.connect(name.clone(), stream);
        match within(self.timeouts.greeting, handshake).await {
            Ok(encrypted) => Ok(Box::new(encrypted)),
            Err(error) => Err(Failure::of_io(step, &error)),
        }
    }

    /// Sets `TCP_NODELAY`: without it a small command could wait for the acknowledgement of the one before.
    async fn dial(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the relay's name has no address");
        let name = (self.address.host.as_str(), self.address.port);
        for address in within(self.timeouts.connect, lookup_host(name)).await? {
            match within(self.timeouts.connect, TcpStream::connect(address)).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Trusts the machine's certificates (`SSL_CERT_FILE` names others) and Mozilla's list.
fn tls(host: &str) -> Result<(TlsConnector, ServerName<'static>), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::no_reply(Step::Connect, &error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}
