//! The private listener: `/metrics` in Prometheus' text format, `/healthz`, and `/readyz`.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use punctual_queue::Shutdown;
use sqlx::{Connection, PgPool};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long the readiness check of the database and reading a request may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What the page shows.
#[derive(Clone)]
pub struct StatusPage {
    /// The recorder; `None` if the process (a test) has another one.
    pub metrics: Option<PrometheusHandle>,
    /// A ready worker can reach its database.
    pub pool: PgPool,
    /// A draining worker is not ready.
    pub shutdown: Shutdown,
}

/// Serves until `stop`.
pub async fn serve(listener: TcpListener, page: StatusPage, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve_connection(stream, page.clone(), stop.clone()));
            }
            // Out of file descriptors: wait until others close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve_connection(stream: TcpStream, page: StatusPage, stop: CancellationToken) {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page.clone();
        async move { Ok::<_, Infallible>(page.answer(&request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TIMEOUT)
        .max_buf_size(8 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error on one connection of a private page is not worth reporting.
        _ = connection => {}
        () = stop.cancelled() => {}
    }
}

impl StatusPage {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        }
        match (request.uri().path(), &self.metrics) {
            ("/metrics", Some(metrics)) => text(StatusCode::OK, metrics.render()),
            ("/healthz", _) => text(StatusCode::OK, "ok\n".to_owned()),
            ("/readyz", _) if self.shutdown.is_draining() => {
                text(StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned())
            }
            ("/readyz", _) if !self.database_answers().await => {
                text(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned())
            }
            ("/readyz", _) => text(StatusCode::OK, "ready\n".to_owned()),
            _ => text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
        }
    }

    async fn database_answers(&self) -> bool {
        let asking = async { self.pool.acquire().await?.ping().await };
        matches!(tokio::time::timeout(TIMEOUT, asking).await, Ok(Ok(())))
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
