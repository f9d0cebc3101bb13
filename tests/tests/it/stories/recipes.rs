//! The commands of `docs/recipes.md` and `docs/sandbox.md`, as written, against real programs.

use punctual_testkit::live::Live;
use punctual_testkit::smtp_sink::SmtpSink;
use punctual_testkit::{Programs, TestDatabase};

const RECIPES: &str = include_str!("../../../../docs/recipes.md");
const SANDBOX: &str = include_str!("../../../../docs/sandbox.md");

/// What the pages take for granted. A refused request ends the script; each answer is on a line of its own.
const BEGIN: &str = r#"set -euo pipefail
API=$LIVE_URL
uuidgen() { cat /proc/sys/kernel/random/uuid; }
curl() { command curl --fail-with-body "$@"; echo; }
json() { curl -s -H 'Content-Type: application/json' "$@"; }
punctual-api() { json "$API/v1/api-keys" -H "Authorization: Bearer $LIVE_ADMIN_TOKEN" \
  -d "{\"name\":\"$3\",\"scopes\":[\"$5\",\"$7\",\"$9\"]}" | jq -r .key; }
"#;

/// An account with a booking, and another time for it.
const BEFORE_ACCOUNT: &str = r#"
json "$API/v1/auth/register" -d '{"name":"Ada","email":"ada@example.org","password":"correct horse battery staple"}'
TOKEN=$(json "$API/v1/auth/login" -d '{"email":"ada@example.org","password":"correct horse battery staple"}' | jq -r .access_token)
SLOTS=$(curl -s "$API/v1/slots?service_id=$SERVICE&from=$FROM&to=$TO")
OWN=$(jq -r '[.days[].slots[]][5].start' <<<"$SLOTS")
BOOKED=$(json "$API/v1/bookings" -H "Authorization: Bearer $TOKEN" -H 'Idempotency-Key: own' \
  -d "{\"service_id\":\"$SERVICE\",\"start\":\"$OWN\"}")
BOOKING=$(jq -r .id <<<"$BOOKED") REV=$(jq -r .rev <<<"$BOOKED") START=$(jq -r '[.days[].slots[]][9].start' <<<"$SLOTS")
"#;

/// A key, and a customer who called.
const BEFORE_DESK: &str = r#"
KEY=$(punctual-api api-key create Desk --scope bookings:write --scope events:read --scope customers:read)
CUSTOMER=$(curl -s "$API/v1/customers" -H "Authorization: Bearer $KEY" | jq -r '.data[0].id')
START=$(jq -r '[.days[].slots[]][13].start' <<<"$SLOTS")
"#;

const BEFORE_FEED: &str = r#"
CURSOR=$(curl -s "$API/v1/events?limit=1" -H "Authorization: Bearer $KEY" | jq -r .next_cursor)
"#;

/// A reminder a day before.
const BEFORE_SANDBOX: &str = r#"
json -X PATCH "$API/v1/services/$LIVE_SERVICE_ID" -H "Authorization: Bearer $LIVE_ADMIN_TOKEN" -H 'If-Match: *' \
  -d '{"reminders":[{"kind":"offset","minutes":1440}]}'
"#;

/// The commands of a page, block by block.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

async fn run(live: &Live, script: String) {
    let ended = live.run("bash", &["-c".to_owned(), script.clone()]).await.unwrap();
    assert!(ended.success(), "{ended}: {script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recipe_works_as_it_is_written() {
    let live = Live::open().await.unwrap();
    let [guest, visit, account, desk, feed] = blocks(RECIPES)[..] else {
        panic!("a recipe was added: prepare it here")
    };
    let parts = [BEGIN, guest, visit, BEFORE_ACCOUNT, account, BEFORE_DESK, desk, BEFORE_FEED, feed];
    run(&live, parts.join("\n")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_works_as_its_page_says() {
    let (database, sink) = (TestDatabase::create().await, SmtpSink::start().await);
    let programs = Programs::on(&database).smtp(&sink.url()).set("PUNCTUAL_SANDBOX", "on");
    let live = Live::on(database.pool(), programs.clone()).await.unwrap();
    let worker = programs.worker().await;
    let [_, walk] = blocks(SANDBOX)[..] else { panic!("the page has other commands") };
    run(&live, [BEGIN, BEFORE_SANDBOX, walk].join("\n")).await;
    // Three who registered, and the booking with its reminder.
    let subjects: Vec<_> = sink.journal().into_iter().map(|mail| mail.subject).collect();
    assert!(subjects.iter().any(|subject| subject.starts_with("Booked: Haircut")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.starts_with("Reminder: Haircut")), "{subjects:?}");
    assert!(worker.stop().await.success());
}
