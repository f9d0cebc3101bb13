//! Replies that are not as RFC 5321 wants them: their three digits decide (§4.2), whatever follows.

use punctual_queue::JobState::{Completed, Discarded, Retryable};
use punctual_testkit::smtp_sink::{Act, Verb};

use super::test_worker::{Row, TestWorker, ended, sent, waiting};
use crate::core::salon::tuesday;

/// One mail is answered so at this step, and is sent exactly once.
async fn is_sent(verb: Verb, reply: &'static [u8], recorded: Option<&str>) {
    let post = TestWorker::open().await;
    post.sink.script(verb, [Act::Raw(reply)]);
    let booking = post.book(tuesday("10:00")).await;
    let mut row = sent("confirmation");
    if let Some(recorded) = recorded {
        row.reply = Some(recorded.to_owned());
    }
    post.wait_for_ledger(&booking, &[row]).await;
    post.wait_for_jobs(&[Completed]).await;
    assert_eq!(post.close().await.journal().len(), 1, "sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_250_in_latin_1_to_the_message_means_that_it_was_taken() {
    is_sent(
        Verb::Dot,
        b"250 2.0.0 angenommen f\xfcr sp\xe4ter\r\n",
        Some("250 2.0.0 angenommen f\u{fffd}r sp\u{fffd}ter"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_250_to_the_message_means_that_it_was_taken() {
    is_sent(Verb::Dot, b"250\r\n", Some("250")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_250_in_many_long_lines_that_end_in_line_feeds_means_that_it_was_taken() {
    const LINE: &[u8; 3000] = &[b'x'; 3000];
    static REPLY: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let mut reply = Vec::new();
        for _ in 0..10 {
            reply.extend_from_slice(b"250-");
            reply.extend_from_slice(LINE);
            reply.push(b'\n');
        }
        reply.extend_from_slice(b"250 done\n");
        reply
    });
    let post = TestWorker::open().await;
    post.sink.script(Verb::Dot, [Act::Raw(&REPLY)]);
    let booking = post.book(tuesday("10:00")).await;
    post.wait_for_sent(&booking, "confirmation", 1).await;
    let row = post.ledger(&booking).await.remove(0);
    assert!(row.reply.unwrap().starts_with("250 xxxxx"));
    assert_eq!(post.close().await.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banner_in_latin_1_is_a_banner() {
    is_sent(Verb::Banner, b"220 Gr\xfc\xdfe vom Postamt\r\n", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_220_and_a_bare_250_to_ehlo_are_replies() {
    is_sent(Verb::Banner, b"220\r\n", None).await;
    is_sent(Verb::Ehlo, b"250\r\n", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_no_standard_names_counts_by_its_first_digit() {
    is_sent(Verb::Dot, b"299 well done\r\n", Some("299 well done")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_550_in_latin_1_fails_the_mail() {
    let post = TestWorker::open().await;
    post.sink.script(Verb::Rcpt, [Act::Raw(b"550 5.1.1 Empf\xe4nger unbekannt\r\n")]);
    let booking = post.book(tuesday("10:00")).await;
    let reply = Some("rcpt: 550 5.1.1 Empf\u{fffd}nger unbekannt");
    post.wait_for_ledger(&booking, &[ended("confirmation", "failed", 1, reply)]).await;
    post.wait_for_jobs(&[Discarded]).await;
    assert_eq!(post.close().await.journal().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_three_digits_is_no_reply_and_leaves_a_doubt() {
    let post = TestWorker::open().await;
    post.sink.script(Verb::Dot, [Act::Raw(b"2x0 hello\r\n")]);
    let booking = post.book(tuesday("10:00")).await;
    let row = Row { doubts: 1, ..waiting("confirmation", 1, "dot: the reply is not SMTP") };
    post.wait_for_ledger(&booking, &[row]).await;
    post.wait_for_jobs(&[Retryable]).await;
    post.close().await;
}
