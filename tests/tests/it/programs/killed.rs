//! A worker as a real process that is killed while it posts.

use punctual_testkit::Programs;
use punctual_testkit::webhook_receiver::{Answering, WebhookReceiver};

use super::test_hooks::{LOCAL, endpoint};
use crate::mails::test_worker::TestWorker;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_posts_leaves_copies_with_one_id() {
    let test = TestWorker::without_worker().await;
    let receiver = WebhookReceiver::start().await;
    // After the salon was made: only the booking is an event of it.
    endpoint(&test.salon, &receiver.url()).await;
    receiver.script([Answering::Never]);
    test.book_soon().await;
    let programs = Programs::on(test.salon.database()).smtp(&test.sink.url()).set(LOCAL.0, LOCAL.1);
    let worker = programs.worker().await;
    receiver.wait_for(1).await;
    worker.kill();
    let next = programs.worker().await;
    let copies = receiver.wait_for(2).await;
    assert_eq!(copies[0].header("webhook-id"), copies[1].header("webhook-id"));
    assert_eq!(copies[0].body, copies[1].body);
    assert!(next.stop().await.success());
}
