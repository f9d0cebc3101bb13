//! The inbox of `cargo dev`, with the real worker as its client.

use punctual_dev::inbox::Inbox;
use punctual_testkit::free_port;

use super::TestStack;

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_of_cargo_dev_shows_a_mail_that_the_worker_sent() {
    let inbox = Inbox::start(free_port(), free_port()).await.unwrap();
    let stack = TestStack::open(1, |programs| programs).await;
    let sending = stack.programs.clone().smtp(&inbox.smtp_url());
    let sent = sending.run("worker", &["test-email", "ada@example.org"], "");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    let mut changes = inbox.store().watch();
    while inbox.store().all().is_empty() {
        changes.changed().await.unwrap();
    }
    let page = reqwest::get(inbox.url()).await.unwrap().text().await.unwrap();
    assert!(page.contains("ada@example.org"), "{page}");
    let list = reqwest::get(format!("{}/api/messages", inbox.url())).await.unwrap();
    let list: serde_json::Value = list.json().await.unwrap();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    inbox.stop().await;
}
