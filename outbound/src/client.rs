use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};

use crate::resolve::{CheckedResolver, NotResolved};
use crate::{Failure, Lookup, Networks, Refusal};

/// How long the lookup and the connection may take, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Sends requests to the targets that [`Networks`] permits. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    networks: Arc<Networks>,
    secure: reqwest::Client,
    plain: reqwest::Client,
    max_answer: usize,
}

/// A POST request.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its target.
    pub url: &'a str,
    /// Headers beside those of HTTP itself.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header as it came: seconds or a date (RFC 9110).
    pub retry_after: Option<String>,
    /// The beginning of the body, as much as is kept.
    pub body: Vec<u8>,
    /// From the call to the end of what was read.
    pub took: Duration,
}

impl Outbound {
    /// A client that gives a request `deadline` in all and keeps at most `max_answer` bytes of an answer.
    ///
    /// # Errors
    /// When the TLS provider or the client can't be set up.
    pub fn new(
        networks: Networks,
        lookup: impl Lookup,
        deadline: Duration,
        max_answer: usize,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let networks = Arc::new(networks);
        let lookup: Arc<dyn Lookup> = Arc::new(lookup);
        let tls = tls()?;
        let client = |plain| {
            let resolver =
                CheckedResolver { lookup: Arc::clone(&lookup), networks: Arc::clone(&networks), plain };
            reqwest::Client::builder()
                .use_preconfigured_tls(tls.clone())
                .https_only(!plain)
                .dns_resolver(Arc::new(resolver))
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .timeout(deadline)
                .connect_timeout(CONNECT)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(2)
                .user_agent(concat!("Punctual/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Self { secure: client(false)?, plain: client(true)?, networks, max_answer })
    }

    /// Sends the request once.
    ///
    /// # Errors
    /// [`Failure`]; only for [`Failure::TimedOut`] and [`Failure::Interrupted`] may the request have been received.
    pub async fn post(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let url = self.networks.check(request.url)?;
        let client = if url.scheme() == "http" { &self.plain } else { &self.secure };
        let begun = Instant::now();
        let sent = client.post(url).headers(request.headers).body(request.body).send().await;
        let mut response = sent.map_err(|error| failure(&error))?;
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        // The status decides; an answer whose body is cut off still counts.
        while body.len() < self.max_answer
            && let Ok(Some(chunk)) = response.chunk().await
        {
            let room = self.max_answer - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(Answer { status: response.status().as_u16(), retry_after, body, took: begun.elapsed() })
    }
}

/// The roots of the system and those of Mozilla, so that it works in an image without files too.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Maps a failed request to a [`Failure`].
fn failure(error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return Failure::Refused(*refusal);
        }
        if inner.is::<NotResolved>() {
            return Failure::Unresolved;
        }
        cause = inner.source();
    }
    if error.is_connect() {
        Failure::NotConnected
    } else if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Interrupted
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::SystemLookup;
    use crate::resolve::LookupFuture;

    /// Returns the next of its answers for each question, the last one forever: a name server that rebinds.
    struct Rebinding {
        answers: Vec<Vec<IpAddr>>,
        asked: AtomicUsize,
    }

    impl Lookup for Rebinding {
        fn addresses(&self, _: &str) -> LookupFuture {
            let at = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
            let answer = self.answers[at].clone();
            Box::pin(async move {
                if answer.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(answer) }
            })
        }
    }

    /// A lookup that the test reads afterwards.
    struct Shared(Arc<Rebinding>);

    impl Lookup for Shared {
        fn addresses(&self, host: &str) -> LookupFuture {
            self.0.addresses(host)
        }
    }

    fn outbound(allowed: &[&str], answers: &[&[&str]]) -> Outbound {
        let networks = Networks::new(allowed.iter().map(|net| net.parse().unwrap()).collect());
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        let lookup = Rebinding { answers: answers.iter().map(parse).collect(), asked: AtomicUsize::new(0) };
        Outbound::new(networks, lookup, Duration::from_secs(2), 1024).unwrap()
    }

    fn to(url: &str) -> Request<'_> {
        Request { url, headers: HeaderMap::new(), body: Bytes::from_static(b"{}") }
    }

    /// A server that answers each connection with these bytes and counts them.
    async fn server(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, met) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&met);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(answer).await;
                    if answer.is_empty() {
                        // Says nothing until the client gives up.
                        let _ = stream.read(&mut [0; 1]).await;
                    }
                });
            }
        });
        (port, met)
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_never_connected_to() {
        let (port, met) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        for answers in [&[&["127.0.0.1"][..]][..], &[&["8.8.8.8", "127.0.0.1"]], &[&["::ffff:127.0.0.1"]]] {
            let client = outbound(&[], answers);
            let refused = client.post(to(&format!("https://hook.example:{port}/"))).await;
            assert_eq!(refused, Err(Failure::Refused(Refusal::NotPublic)), "{answers:?}");
        }
        assert_eq!(met.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_name_that_rebinds_is_refused_at_its_next_connection() {
        for inside in ["127.0.0.2", "::1", "169.254.169.254", "::ffff:127.0.0.2", "64:ff9b::7f00:1"] {
            let (port, met) =
                server(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
            // The listed address represents a public one.
            let client = outbound(&["127.0.0.1/32"], &[&["127.0.0.1"], &[inside]]);
            let url = format!("http://hook.example:{port}/");
            assert_eq!(client.post(to(&url)).await.unwrap().status, 200);
            assert_eq!(client.post(to(&url)).await, Err(Failure::Refused(Refusal::NotPublic)), "{inside}");
            assert_eq!(met.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn the_connection_is_made_to_the_address_that_was_checked() {
        // Two machines with one port: the one that was checked, and the one that a second lookup would lead to.
        const OK: &[u8] = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        let (port, checked) = server(OK).await;
        let inside = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let lookup = Rebinding {
            answers: vec![vec!["127.0.0.1".parse().unwrap()], vec!["127.0.0.2".parse().unwrap()]],
            asked: AtomicUsize::new(0),
        };
        let lookup = Arc::new(lookup);
        let networks = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let client =
            Outbound::new(networks, Shared(Arc::clone(&lookup)), Duration::from_secs(2), 1024).unwrap();
        assert_eq!(client.post(to(&format!("http://hook.example:{port}/"))).await.unwrap().status, 204);
        assert_eq!(lookup.asked.load(Ordering::SeqCst), 1, "one lookup for one connection");
        assert_eq!(checked.load(Ordering::SeqCst), 1);
        let nobody = tokio::time::timeout(Duration::ZERO, inside.accept()).await;
        assert!(nobody.is_err(), "nobody connected to the address of the second answer");
    }

    #[tokio::test]
    async fn names_of_this_machine_and_look_alikes_of_them_are_refused_by_the_real_lookup() {
        let networks = Networks::new(Vec::new());
        let client = Outbound::new(networks, SystemLookup, Duration::from_secs(5), 1024).unwrap();
        let (port, met) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        for host in [
            "localhost",
            "LOCALHOST",
            "\u{ff4c}\u{ff4f}\u{ff43}\u{ff41}\u{ff4c}\u{ff48}\u{ff4f}\u{ff53}\u{ff54}",
            "loc%61lhost",
            "\u{24db}ocalhost",
        ] {
            let refused = client.post(to(&format!("https://{host}:{port}/"))).await;
            assert_eq!(refused, Err(Failure::Refused(Refusal::NotPublic)), "{host}");
        }
        // Such names may not exist here; where they do, they lead inside.
        for host in ["localhost.", "api.localhost", "ip6-localhost"] {
            let refused = client.post(to(&format!("https://{host}:{port}/"))).await;
            let inside = matches!(refused, Err(Failure::Refused(Refusal::NotPublic) | Failure::Unresolved));
            assert!(inside, "{host}: {refused:?}");
        }
        assert_eq!(met.load(Ordering::SeqCst), 0);
        // The names of metadata services, as their clouds resolve them.
        let cloud = outbound(&[], &[&["169.254.169.254"]]);
        for host in ["metadata.google.internal", "metadata", "instance-data.ec2.internal"] {
            let refused = cloud.post(to(&format!("https://{host}/latest/meta-data/"))).await;
            assert_eq!(refused, Err(Failure::Refused(Refusal::NotPublic)), "{host}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let (port, met) = server(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\ngone",
        )
        .await;
        let answer = outbound(&["127.0.0.0/8"], &[&["127.0.0.1"]])
            .post(to(&format!("http://127.0.0.1:{port}/")))
            .await
            .unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (302, &b"gone"[..]));
        assert_eq!(answer.retry_after.as_deref(), Some("7"));
        assert_eq!(met.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_at_what_is_kept() {
        const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        let mut text = HEAD.to_vec();
        text.resize(HEAD.len() + 20_000, b'x');
        let (port, _) = server(text.leak()).await;
        let client = outbound(&["127.0.0.0/8"], &[&["127.0.0.1"]]);
        let answer = client.post(to(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 1024));
    }

    #[tokio::test]
    async fn silence_a_closed_port_and_an_unknown_name_are_told_apart() {
        let (port, _) = server(b"").await;
        let client = outbound(&["127.0.0.0/8"], &[&[]]);
        let silent = client.post(to(&format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(silent, Err(Failure::TimedOut));
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(client.post(to(&format!("http://127.0.0.1:{free}/"))).await, Err(Failure::NotConnected));
        assert_eq!(client.post(to("https://nowhere.example/")).await, Err(Failure::Unresolved));
    }
}
