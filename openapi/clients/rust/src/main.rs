//! From an account to a cancelled booking, with progenitor. `LIVE_URL` names the api.

use std::collections::BTreeSet;
use std::env;
use std::error::Error as StdError;
use std::num::NonZeroU32;

use chrono::{Days, Utc};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use uuid::Uuid;

use client::types::{BookingStatus, Problem, ProblemCode};
use client::{Client, Error, ResponseValue};

#[expect(warnings, clippy::all, reason = "generated")]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

const PASSWORD: &str = "correct horse battery staple";

type Outcome<T> = Result<T, Box<dyn StdError>>;

/// The problem of an answer that is none of the successes.
fn problem<T>(answer: Result<ResponseValue<T>, Error<Problem>>) -> Problem {
    match answer {
        Err(Error::ErrorResponse(problem)) => {
            assert_eq!(i32::from(problem.status().as_u16()), problem.status);
            problem.into_inner()
        }
        Err(other) => panic!("a problem was expected, not {other}"),
        Ok(_) => panic!("a problem was expected, not a success"),
    }
}

fn step(text: &str) {
    println!("  {text}");
}

fn with_token(url: &str, token: &str) -> Outcome<Client> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
    Ok(Client::new_with_client(url, reqwest::Client::builder().default_headers(headers).build()?))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let url = env::var("LIVE_URL")?;
    let guest = Client::new(&url);

    // register and log in
    let email = format!("ada-{}@example.org", Uuid::new_v4());
    let account =
        guest.register().body_map(|b| b.email(email.as_str()).password(PASSWORD).name("Ada Lovelace"));
    let account = account.send().await?;
    let wrong = guest.login().body_map(|b| b.email(email.as_str()).password("not the password")).send().await;
    assert_eq!(problem(wrong).code, ProblemCode::InvalidCredentials);
    let session = guest.login().body_map(|b| b.email(email.as_str()).password(PASSWORD)).send().await?;
    let api = with_token(&url, &session.access_token)?;
    assert_eq!(api.get_me().send().await?.id, account.id);
    step(&format!("registered as a {}", session.role));

    // free slots of the next week
    let services = api.list_services().send().await?.into_inner();
    let service = &services.data[0];
    let tomorrow = Utc::now().date_naive() + Days::new(1);
    let asked = api.list_slots().service_id(service.id).from(tomorrow).to(tomorrow + Days::new(6));
    let listed = asked.send().await?.into_inner();
    let slots: Vec<_> = listed.days.iter().flat_map(|day| &day.slots).collect();
    let (first, second) = (slots[0], slots[4]);
    step(&format!("{} free slots, the first at {}", slots.len(), first.start));

    // book: the same key and body again give the same answer
    let book = async |key: Uuid| {
        let wish = api.create_booking().idempotency_key(key.to_string());
        wish.body_map(|b| b.service_id(service.id).start(first.start).staff_id(first.staff_ids[0]))
            .send()
            .await
    };
    let key = Uuid::new_v4();
    let booking = book(key).await?.into_inner();
    assert_eq!(booking.status, BookingStatus::Confirmed);
    let again = book(key).await?;
    assert_eq!(again.id, booking.id);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    step(&format!("booked {} with {}", *booking.service.name, *booking.staff.name));

    // conflict: the slot is taken, others are offered
    let taken = problem(book(Uuid::new_v4()).await);
    assert_eq!((taken.code, taken.alternatives.len()), (ProblemCode::SlotTaken, 3));
    let starts: Vec<_> = taken.alternatives.iter().map(|slot| slot.start.to_rfc3339()).collect();
    step(&format!("taken; free instead: {}", starts.join(", ")));

    // move, based on the revision that was read
    let move_to = async |rev: NonZeroU32| {
        let moving = api.reschedule_booking().id(booking.id).if_match(format!("\"{rev}\""));
        moving.body_map(|b| b.start(second.start)).send().await
    };
    let moved = move_to(booking.rev).await?.into_inner();
    assert_eq!(moved.start, second.start);
    assert_eq!(problem(move_to(booking.rev).await).code, ProblemCode::PreconditionFailed);
    step(&format!("moved to {}, revision {}", moved.start, moved.rev));

    // cancel
    let cancelling = api.cancel_booking().id(booking.id).if_match(format!("\"{}\"", moved.rev));
    assert_eq!(cancelling.send().await?.status, BookingStatus::Cancelled);
    step("cancelled");

    // list, a page at a time
    book(Uuid::new_v4()).await?;
    let (mut ids, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = api.list_bookings().limit(1);
        let page = if let Some(cursor) = cursor { page.cursor(cursor) } else { page };
        let page = page.send().await?.into_inner();
        ids.extend(page.data.iter().map(|booking| booking.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(ids.len(), 2);
    step("listed 2 bookings on 2 pages");

    // errors are typed values; what the document bounds is refused before it is sent
    let unsent =
        guest.register().body_map(|b| b.email(email.as_str()).password("short").name("Ada")).send().await;
    assert!(matches!(unsent, Err(Error::InvalidRequest(_))));
    let bad = guest.register().body_map(|b| b.email("nobody").password(PASSWORD).name(" ")).send().await;
    let bad = problem(bad);
    assert_eq!(bad.code, ProblemCode::InvalidRequest);
    let faults: Vec<_> = bad.errors.iter().map(|f| format!("{} {}", *f.pointer, *f.code)).collect();
    assert_eq!(faults, ["/email bad_email", "/name empty"]);
    let absent = problem(api.get_booking().id(Uuid::new_v4()).send().await);
    assert_eq!(absent.code, ProblemCode::NotFound);
    step(&format!("errors: {}; {}", faults.join(", "), absent.code));
    Ok(())
}
