//! The story: registration, confirmation, reminder, cancellation.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::{DateTime, FixedOffset, TimeDelta, Timelike as _, Utc};
use punctual_queue::{Clock as _, ServerClock};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::client::{Client, list, text};
use super::mails;
use crate::console::{self, Colour, paint};
use crate::inbox::Store;
use crate::stack::Admin;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery staple";
/// Minimum time between the change of the rule and the reminder's due time, for making the booking.
const LEAD: TimeDelta = TimeDelta::seconds(10);
const SOON: Duration = Duration::from_secs(20);

/// Runs it against a stack.
pub(super) async fn play(api: &str, admin: &Admin, inbox: &Store) -> Result<()> {
    let visitor = Client::new(api);
    let page = visitor.page("/book").await?;
    for seen in ["Book an appointment", "Haircut"] {
        anyhow::ensure!(page.contains(seen), "/book does not say {seen}");
    }
    say(&format!("the salon's booking page is up, in a browser: {api}/book"));

    say("Ada signs up and logs in");
    let account =
        json!({ "email": EMAIL, "password": PASSWORD, "name": "Ada Lovelace", "zone": "Europe/London" });
    visitor.post("/v1/auth/register", &account).await?;
    let ada = visitor.log_in(EMAIL, PASSWORD).await?;

    let proof = mails::wait(inbox, EMAIL, 0, SOON).await.context("the mail that proves her address")?;
    mails::print(&proof);
    let link = proof.text.lines().find(|line| line.contains("/v/")).context("a link in the mail")?;
    let token = link.rsplit('/').next().unwrap_or_default();
    visitor.post("/v1/auth/verify-email", &json!({ "token": token, "password": PASSWORD })).await?;
    say("she follows its link: her address is proven");

    let service = service(&ada, "Haircut").await?;
    let slot = first_slot(&ada, &service).await?;
    let start = DateTime::parse_from_rfc3339(text(&slot, "/start")?)?;
    say(&format!(
        "she looks for a haircut and takes the slot {}",
        start.format("%A, %-d %B %Y, %H:%M (UTC%:z)")
    ));

    let due = remind_soon(&visitor.log_in(&admin.email, &admin.password).await?, &service, start).await?;
    say(&format!(
        "the salon reminds of haircuts at {} UTC, which is in {} s",
        due.format("%H:%M:%S"),
        seconds_to(due)
    ));

    let request = json!({ "service_id": service["id"], "start": slot["start"] });
    let booked_at = Instant::now();
    let booking = ada.post_once("/v1/bookings", &format!("demo-{}", std::process::id()), &request).await?;
    let path = format!("/v1/bookings/{}", text(&booking, "/id")?);
    say(&format!("she books it: {}, with {}", text(&booking, "/status")?, text(&booking, "/staff/name")?));

    let confirmation = mails::wait(inbox, EMAIL, 1, SOON).await.context("the confirmation")?;
    say(&format!("the confirmation is in her inbox after {} ms", booked_at.elapsed().as_millis()));
    mails::print(&confirmation);

    say(&format!("the reminder falls due in {} s", seconds_to(due)));
    let limit = Duration::from_secs(u64::try_from(seconds_to(due)).unwrap_or(0)) + SOON;
    let reminder = mails::wait(inbox, EMAIL, 2, limit).await.context("the reminder")?;
    say(&format!("the reminder is in her inbox {} ms after it fell due", (now() - due).num_milliseconds()));
    anyhow::ensure!(now() >= due, "the reminder came before it was due");
    mails::print(&reminder);

    say("she cannot come and cancels");
    let booking = ada.get(&path).await?;
    let cancelled_at = Instant::now();
    let cancelled = ada.change(Method::POST, &format!("{path}/cancel"), &booking["rev"], &json!({})).await?;
    anyhow::ensure!(text(&cancelled, "/status")? == "cancelled", "the booking is {}", cancelled["status"]);
    let cancellation = mails::wait(inbox, EMAIL, 3, SOON).await.context("the cancellation")?;
    say(&format!("the cancellation is in her inbox after {} ms", cancelled_at.elapsed().as_millis()));
    mails::print(&cancellation);

    check_ledger(&ada, &path).await?;
    check_inbox(inbox)
}

/// Checks that the API's list of mails agrees with the inbox.
async fn check_ledger(ada: &Client, path: &str) -> Result<()> {
    let wanted = [("cancellation", "sent"), ("confirmation", "sent"), ("reminder", "sent")];
    let path = format!("{path}/notifications");
    let agreeing = async {
        loop {
            // The mail server has a mail slightly before the ledger records it.
            let ledger = ada.get(&path).await?;
            let mut found = Vec::new();
            for mail in list(&ledger, "/data")? {
                found.push((text(mail, "/kind")?, text(mail, "/state")?));
            }
            found.sort_unstable();
            if found == wanted {
                return anyhow::Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, agreeing).await.context("the ledger does not say that three mails were sent")??;
    say("the ledger says the same: confirmation, reminder and cancellation sent");
    Ok(())
}

/// Checks for exactly four mails.
fn check_inbox(inbox: &Store) -> Result<()> {
    let mails = mails::to(inbox, EMAIL);
    let mut ids: Vec<&str> = mails.iter().map(|mail| mail.summary.message_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    anyhow::ensure!(
        mails.len() == 4 && ids.len() == 4,
        "{} mails with {} Message-IDs",
        mails.len(),
        ids.len()
    );
    Ok(())
}

async fn service(client: &Client, name: &str) -> Result<Value> {
    let services = client.get("/v1/services").await?;
    let mut services = list(&services, "/data")?.iter();
    let found = services.find(|service| service["name"] == name);
    found.cloned().with_context(|| format!("no service {name}"))
}

/// The first slot that starts more than a day from now.
async fn first_slot(client: &Client, service: &Value) -> Result<Value> {
    let (from, to) = (now().date_naive() + TimeDelta::days(2), now().date_naive() + TimeDelta::days(12));
    let id = text(service, "/id")?;
    let slots = client.get(&format!("/v1/slots?service_id={id}&from={from}&to={to}")).await?;
    for day in list(&slots, "/days")? {
        if let Some(slot) = list(day, "/slots")?.first() {
            return Ok(slot.clone());
        }
    }
    anyhow::bail!("no free slot from {from} to {to}")
}

/// Sets the service's reminder so that the one for this booking falls due within about a minute.
async fn remind_soon(admin: &Client, service: &Value, start: DateTime<FixedOffset>) -> Result<DateTime<Utc>> {
    // Rules are in whole minutes before the start, so a due time has the start's seconds: the next full minute.
    let earliest = now() + LEAD;
    let into_minute = i64::from(earliest.second()) + 1;
    let due = (earliest + TimeDelta::seconds(60 - into_minute + 1)).with_nanosecond(0).unwrap_or(earliest);
    let rule = json!({ "kind": "offset", "minutes": (start.to_utc() - due).num_minutes() });
    let path = format!("/v1/services/{}", text(service, "/id")?);
    admin.change(Method::PATCH, &path, &service["rev"], &json!({ "reminders": [rule] })).await?;
    Ok(due)
}

fn now() -> DateTime<Utc> {
    ServerClock::default().now()
}

fn seconds_to(due: DateTime<Utc>) -> i64 {
    (due - now()).num_seconds().max(0)
}

fn say(text: &str) {
    console::line(&format!("{} {text}", paint(Colour::Cyan, "▸")));
}
