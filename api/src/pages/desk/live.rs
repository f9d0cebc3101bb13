//! The calendar's scripts, and the server-sent events that make it fetch itself again.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream;
use poem::{Body, Response, http::header};
use tokio::{sync::watch, time::timeout};

use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{Page, named, signed_in::session, visit::Visit},
    state::State,
};

/// `/desk/live.js`: keeps an open calendar current.
pub struct Script;

impl Page for Script {
    const OPERATION: &'static Operation = &named("deskScript");
    const PATTERN: &'static str = "/desk/live.js";
    const POSTS: bool = false;

    async fn show(_: Visit) -> Result<Response, Problem> {
        Ok(script(include_str!("../../../templates/desk/live.js")))
    }
}

/// `/desk/drag.js`: lets bookings be dragged.
pub struct DragScript;

impl Page for DragScript {
    const OPERATION: &'static Operation = &named("deskDragScript");
    const PATTERN: &'static str = "/desk/drag.js";
    const POSTS: bool = false;

    async fn show(_: Visit) -> Result<Response, Problem> {
        Ok(script(include_str!("../../../templates/desk/drag.js")))
    }
}

fn script(text: &'static str) -> Response {
    Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(text)
}

/// `/desk/changes`: an event for each change, without its content.
pub struct Changes;

/// Interval of comments that keep the connection open; also the delay until a stopping server is noticed.
const KEEPALIVE: Duration = Duration::from_secs(2);
/// Events and comments after which a stream ends, so that the browser reconnects and its session is checked again.
const MAX_EVENTS: u32 = 60;

impl Page for Changes {
    const OPERATION: &'static Operation = &named("deskChanges");
    const PATTERN: &'static str = "/desk/changes";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let who = session::of(&visit.state, &visit.headers).await?;
        if !who.is_some_and(|who| who.actor().is_staff()) {
            return Err(Problem::new(Code::Forbidden));
        }
        let receiver = visit.state.changes.listen(&visit.state.core);
        let events = stream::unfold((receiver, visit.state, 0), |(receiver, state, number)| async move {
            next(receiver, state, number).await
        });
        Ok(Response::builder()
            .content_type("text/event-stream")
            .header(header::CACHE_CONTROL, "no-store")
            .header("x-accel-buffering", "no")
            .body(Body::from_bytes_stream(events)))
    }
}

type Step = (io::Result<Bytes>, (watch::Receiver<u64>, Arc<State>, u32));

/// The next event, or a comment.
async fn next(mut receiver: watch::Receiver<u64>, state: Arc<State>, number: u32) -> Option<Step> {
    if number > MAX_EVENTS || state.is_draining() {
        return None;
    }
    let text = match number {
        0 => "retry: 2000\n\n",
        _ => match timeout(KEEPALIVE, receiver.changed()).await {
            Ok(Ok(())) => "data: changed\n\n",
            Ok(Err(_)) => return None,
            Err(_) => ":\n\n",
        },
    };
    Some((Ok(Bytes::from_static(text.as_bytes())), (receiver, state, number + 1)))
}
