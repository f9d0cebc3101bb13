//! Account links in mails, from the request to the page of the link.

use mail_parser::MessageParser;
use punctual_testkit::smtp_sink::ReceivedMail;
use punctual_testkit::{TestRedis, program_alone};
use serde_json::{Value, json};

use super::TestStack;

const OLD: &str = "a long enough password";
const NEW: &str = "another password of hers";

/// The decoded text of a mail.
fn text(mail: &ReceivedMail) -> String {
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    parsed.body_text(0).unwrap().into_owned()
}

/// Recipient and subject.
fn head(mail: &ReceivedMail) -> (&str, String) {
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    (&mail.recipient, parsed.subject().unwrap().to_owned())
}

/// The path of the link in a mail.
fn link(mail: &ReceivedMail) -> String {
    let text = text(mail);
    let address = text.lines().find(|line| line.starts_with("http")).unwrap_or_else(|| panic!("{text}"));
    format!("/{}", address.splitn(4, '/').nth(3).unwrap())
}

impl TestStack {
    /// Posts without a token.
    async fn anybody(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.api.url())).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn log_in(&self, email: &str, password: &str) -> (u16, Value) {
        self.anybody("/v1/auth/login", &json!({ "email": email, "password": password })).await
    }

    async fn page(&self, path: &str, form: Option<&[(&str, &str)]>) -> (u16, String) {
        let url = format!("{}{path}", self.api.url());
        let client = reqwest::Client::new();
        let request = match form {
            Some(fields) => client.post(url).header("sec-fetch-site", "same-origin").form(fields),
            None => client.get(url),
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_is_mailed_a_link_that_proves_the_address_once() {
    let Some(redis) = TestRedis::start().await else { return };
    let stack = TestStack::open(1, |programs| programs.redis(&redis)).await;
    let _worker = stack.programs.worker().await;
    let account =
        json!({ "email": "grace@example.org", "password": OLD, "name": "Grace Höfer", "locale": "de" });
    assert_eq!(stack.anybody("/v1/auth/register", &account).await.0, 201);
    let mail = stack.sink.wait_for_mails(1).await.remove(0);
    assert_eq!(head(&mail), ("grace@example.org", "Adresse bestätigen für Salon Zeit".to_owned()));
    assert!(text(&mail).contains("Guten Tag Grace Höfer"), "{}", text(&mail));

    let path = link(&mail);
    for _ in 0..2 {
        let (status, page) = stack.page(&path, None).await;
        assert_eq!(status, 200);
        assert!(page.contains("Ist das Ihre Adresse") && page.contains("grace@example.org"), "{page}");
    }
    let verified = "SELECT email_verified_at IS NOT NULL FROM users WHERE email = 'grace@example.org'";
    let verified =
        async || sqlx::query_scalar::<_, bool>(verified).fetch_one(&stack.salon.core.pool).await.unwrap();
    assert!(!verified().await, "looking proves nothing");
    let (status, page) = stack.page(&path, Some(&[])).await;
    assert!(status == 200 && page.contains("Ihre Adresse ist bestätigt"), "{page}");
    assert!(verified().await);
    assert_eq!(stack.page(&path, Some(&[])).await.0, 410, "once");
    assert_eq!(stack.page(&path, None).await.0, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_forgot_the_password_sets_a_new_one_by_mail_and_old_sessions_end() {
    let Some(redis) = TestRedis::start().await else { return };
    let stack = TestStack::open(1, |programs| programs.redis(&redis)).await;
    let _worker = stack.programs.worker().await;
    let (_, session) = stack.log_in("ada@example.org", OLD).await;
    let ask =
        async |email: &str| stack.anybody("/v1/auth/password-reset", &json!({ "email": email })).await.0;
    assert_eq!((ask("nobody@example.org").await, ask("Ada@Example.org").await), (202, 202));
    let mail = stack.sink.wait_for_mails(1).await.remove(0);
    assert_eq!(head(&mail), ("ada@example.org", "Choose a new password for Salon Zeit".to_owned()));

    let path = link(&mail);
    let (status, page) = stack.page(&path, None).await;
    assert!(status == 200 && page.contains("autocomplete=\"new-password\""), "{page}");
    let (status, page) = stack.page(&path, Some(&[("password", "Password1")])).await;
    assert!(status == 422 && page.contains("many people use this password"), "{page}");
    let (status, page) = stack.page(&path, Some(&[("password", NEW)])).await;
    assert!(status == 200 && page.contains("Your password is set"), "{page}");
    assert_eq!(stack.page(&path, Some(&[("password", OLD)])).await.0, 410, "once");

    assert_eq!(stack.log_in("ada@example.org", OLD).await.0, 401);
    assert_eq!(stack.log_in("ada@example.org", NEW).await.0, 200);
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let (status, problem) = stack.anybody("/v1/auth/refresh", &refresh).await;
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_refresh_token")));
    assert_eq!(stack.request_booking("a key", "2027-05-04T10:00:00Z").await.1["code"], "session_ended");
    assert_eq!(stack.sink.journal().len(), 1, "nothing is mailed to an address that has no account");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_made_on_the_command_line_chooses_the_password_by_mail() {
    let stack = TestStack::open(1, |programs| programs).await;
    let create = ["admin", "create", "boss@example.org", "--name", "Bea Boss"];
    let run = || {
        program_alone("api").args(create).env("DATABASE_URL", stack.salon.database_url()).output().unwrap()
    };
    let said = run();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(String::from_utf8_lossy(&said.stdout).contains("leaves once a worker runs"), "{said:?}");
    let again = run();
    assert!(
        !again.status.success()
            && String::from_utf8_lossy(&again.stderr).contains("an account with this address")
    );

    let _worker = stack.programs.worker().await;
    let mail = stack.sink.wait_for_mails(1).await.remove(0);
    assert_eq!(head(&mail), ("boss@example.org", "Your account at Salon Zeit".to_owned()));
    assert_eq!(stack.log_in("boss@example.org", NEW).await.0, 401);
    let (status, page) = stack.page(&link(&mail), Some(&[("password", NEW)])).await;
    assert!(status == 200 && page.contains("Log in to the desk"), "{page}");
    assert_eq!(stack.log_in("boss@example.org", NEW).await.1["role"], "admin");
}
