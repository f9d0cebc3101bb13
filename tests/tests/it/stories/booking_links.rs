//! A guest who lost the mails of their bookings requests the links again at `/links`.

use mail_parser::MessageParser;
use punctual_testkit::smtp_sink::ReceivedMail;
use punctual_testkit::{TestRedis, wait_for};
use reqwest::{Client, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use super::TestStack;

fn text(mail: &ReceivedMail) -> String {
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    parsed.body_text(0).unwrap().into_owned()
}

fn subject(mail: &ReceivedMail) -> String {
    MessageParser::default().parse(&mail.bytes).unwrap().subject().unwrap().to_owned()
}

/// Paths of the links in a mail.
fn links(mail: &ReceivedMail) -> Vec<String> {
    let text = text(mail);
    let addresses = text.lines().filter(|line| line.starts_with("http"));
    addresses.map(|address| format!("/{}", address.splitn(4, '/').nth(3).unwrap())).collect()
}

/// A browser without cookies.
struct Guest<'a> {
    stack: &'a TestStack,
    client: Client,
}

impl<'a> Guest<'a> {
    fn new(stack: &'a TestStack) -> Self {
        Self { stack, client: Client::builder().redirect(Policy::none()).build().unwrap() }
    }

    async fn book(&self, start: &str, email: &str, locale: &str) -> String {
        let body = json!({ "service_id": self.stack.service, "start": start,
            "contact": { "email": email, "name": "Grace Höfer", "locale": locale } });
        let request = self.client.post(format!("{}/v1/bookings", self.stack.api.url())).json(&body);
        let answer = request.header("idempotency-key", start).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Submits a form; the status and the page, or where it leads.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let request = self.client.post(format!("{}{path}", self.stack.api.url())).form(fields);
        let answer = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        match location {
            Some(location) => (status, location),
            None => (status, answer.text().await.unwrap()),
        }
    }

    async fn page(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}{path}", self.stack.api.url())).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

async fn owed(stack: &TestStack) -> i64 {
    let owed = "SELECT count(*) FROM notifications WHERE outcome IS NULL AND kind <> 'reminder'";
    sqlx::query_scalar(owed).fetch_one(&stack.salon.core.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_mails_of_their_bookings_is_sent_all_links_in_one() {
    let Some(redis) = TestRedis::start().await else { return };
    let stack = TestStack::open(1, |programs| programs.redis(&redis).set("PUNCTUAL_LIMITS", "on")).await;
    sqlx::query("UPDATE settings SET guests_allowed = true").execute(&stack.salon.core.pool).await.unwrap();
    let _worker = stack.programs.worker().await;
    let guest = Guest::new(&stack);
    let starts = stack.starts().await;
    let first = guest.book(&starts[0], "grace@example.org", "de").await;
    guest.book(&starts[2], "grace@example.org", "de").await;
    guest.book(&starts[4], "bob@example.org", "en").await;
    stack.sink.wait_for_mails(3).await;
    wait_for("the confirmations are recorded", async || owed(&stack).await == 0).await;

    let ask = async |email: &str| guest.submit("/links", &[("email", email)]).await;
    let unknown = ask("nobody@example.org").await;
    assert_eq!(unknown, (303, "./links?done=sent".to_owned()));
    assert_eq!(ask("Grace@Example.org").await, unknown, "the answer does not tell who is known");
    let mail = stack.sink.wait_for_mails(4).await.remove(3);
    assert_eq!(
        (mail.recipient.as_str(), subject(&mail)),
        ("grace@example.org", "Ihre Termine bei Salon Zeit".to_owned())
    );
    let paths = links(&mail);
    assert_eq!(paths.len(), 2, "{}", text(&mail));
    for path in &paths {
        let (status, page) = guest.page(path).await;
        assert!(status == 200 && page.contains("Ihr Termin"), "{page}");
    }

    // The link does what that of the confirmation does.
    let cancel = format!("{}/cancel", paths[0]);
    let (_, page) = guest.page(&cancel).await;
    let rev = page.split_once("name=\"rev\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    assert_eq!(guest.submit(&cancel, &[("rev", &rev)]).await.0, 303);
    let status = "SELECT status::text FROM bookings WHERE id::text = $1";
    let status: String =
        sqlx::query_scalar(status).bind(&first).fetch_one(&stack.salon.core.pool).await.unwrap();
    assert_eq!(status, "cancelled");
    stack.sink.wait_for_mails(5).await;
    wait_for("the cancellation is recorded", async || owed(&stack).await == 0).await;

    // Requested again, the mail lists future bookings; the fourth request of a day is refused.
    assert_eq!(ask("grace@example.org").await, unknown);
    let mail = stack.sink.wait_for_mails(6).await.remove(5);
    assert_eq!(links(&mail), [paths[1].clone()]);
    assert_eq!(ask("grace@example.org").await, unknown);
    let (status, page) = ask("grace@example.org").await;
    assert!(status == 429 && page.contains("Please try again in"), "{page}");
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM notifications WHERE kind = 'booking_links'")
        .fetch_one(&stack.salon.core.pool)
        .await
        .unwrap();
    assert_eq!(rows, 3);
}
