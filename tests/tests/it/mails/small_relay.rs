//! A relay that allows less than the worker would like: few connections, few messages on each; and what it is greeted as.

use chrono::TimeDelta;
use punctual_core::bookings::Booking;
use punctual_testkit::smtp_sink::{Act, Verb};
use punctual_worker::smtp::Timeouts;

use super::outages::settled;
use super::test_worker::{TestWorker, sent};
use crate::core::salon::tuesday;

/// So many customers book, from this hour on, with whoever is free.
async fn book(post: &TestWorker, count: usize, first_hour: usize) -> Vec<Booking> {
    let mut bookings = Vec::new();
    for (number, customer) in post.salon.customers(count).await.iter().enumerate() {
        let hour = first_hour + number / post.salon.staff.len();
        bookings.push(post.book_as(customer, tuesday(&format!("{hour:02}:00"))).await);
    }
    bookings
}

/// So many mails are due when the worker begins, and are sent while the clock stands still: none waits.
async fn sends_all(post: &mut TestWorker, mails: usize) {
    let bookings = book(post, mails, 9).await;
    post.hire_worker().await;
    post.sink.wait_for_mails(mails).await;
    for booking in &bookings {
        post.wait_for_ledger(booking, &[sent("confirmation")]).await;
    }
    assert!(post.jobs().await.iter().all(|job| job.snoozes == 0 && job.attempt == 1), "no mail waited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_room_for_three_connections_takes_all_mails_without_a_wait() {
    let mut post = TestWorker::with_staff(8).await;
    post.sink.limit_connections(3);
    sends_all(&mut post, 48).await;
    assert_eq!(post.sink.most_open(), 3);
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_has_few_connections_leaves_mails_to_another() {
    let mut post = TestWorker::with_staff(8).await;
    post.timeouts = Timeouts::default();
    post.sink.limit_connections(3);
    sends_all(&mut post, 24).await;
    post.sink.always(Verb::Dot, Act::Stall);
    let before = post.sink.seen(Verb::Dot);
    book(&post, 24, 12).await;
    post.sink.wait_for(Verb::Dot, before + 2).await;
    post.sink.limit_connections(12);
    post.hire_worker().await;
    post.sink.wait_for(Verb::Dot, before + 8).await;
    post.sink.release();
    post.sink.wait_for_mails(48).await;
    post.close().await;
}

/// The relay goes down in this way while it has connections. They end one after the other, which looks as if it allowed
/// fewer.
async fn has_as_many_connections_as_before(down_at: &[Verb]) {
    let mut post = TestWorker::with_staff(8).await;
    post.timeouts = Timeouts::default();
    post.sink.always(Verb::Dot, Act::Stall);
    book(&post, 8, 9).await;
    post.hire_worker().await;
    post.sink.wait_for(Verb::Dot, 8).await;
    for verb in down_at {
        post.sink.always(*verb, Act::Reply("421 4.3.2 closing"));
    }
    let greeted = post.sink.seen(Verb::Banner);
    book(&post, 8, 10).await;
    post.sink.wait_for(Verb::Banner, greeted + 1).await;
    post.sink.release();
    post.sink.wait_for_mails(8).await;
    settled(&post).await;
    post.sink.heal();
    while post.sink.journal().len() < 16 {
        post.pass(TimeDelta::seconds(20));
        settled(&post).await;
    }
    post.sink.hold();
    post.sink.always(Verb::Dot, Act::Stall);
    let before = post.sink.seen(Verb::Dot);
    book(&post, 8, 11).await;
    post.sink.wait_for(Verb::Dot, before + 8).await;
    post.sink.release();
    post.sink.wait_for_mails(24).await;
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_down_gets_as_many_connections_as_before() {
    has_as_many_connections_as_before(&[Verb::Banner, Verb::Mail]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_greets_and_takes_no_mail_for_a_time_gets_as_many_connections_as_before() {
    has_as_many_connections_as_before(&[Verb::Mail]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_at_mail_while_other_connections_work_is_a_limit_and_no_trouble() {
    let mut post = TestWorker::with_staff(2).await;
    post.timeouts = Timeouts::default();
    post.sink.script(Verb::Dot, [Act::Stall]);
    post.hire_worker().await;
    let mut bookings = vec![post.book(tuesday("09:00")).await];
    post.sink.wait_for(Verb::Dot, 1).await;
    post.sink.script(Verb::Mail, [Act::Reply("421 4.3.2 too many connections")]);
    for customer in post.salon.customers(4).await {
        bookings.push(post.book_as(&customer, tuesday(&format!("{}:00", 9 + bookings.len()))).await);
    }
    post.sink.wait_for(Verb::Mail, 2).await;
    post.sink.release();
    for booking in &bookings {
        post.wait_for_ledger(booking, &[sent("confirmation")]).await;
    }
    assert!(post.jobs().await.iter().all(|job| job.snoozes == 0), "no mail waited");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_allows_two_messages_on_a_connection_takes_all_mails_without_a_wait() {
    let mut post = TestWorker::with_staff(8).await;
    post.sink.limit_messages(2);
    sends_all(&mut post, 24).await;
    assert!(post.sink.seen(Verb::Banner) >= 12);
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_is_greeted_with_the_configured_name_or_the_public_urls_host() {
    const KEYS: &str = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for (settings, name) in [
        (&[("PUNCTUAL_EHLO_NAME", "mail.example.org")][..], "mail.example.org"),
        (
            &[("PUNCTUAL_PUBLIC_URL", "https://book.example.org:8443/x"), ("PUNCTUAL_LINK_KEYS", KEYS)][..],
            "book.example.org",
        ),
        (&[][..], "[127.0.0.1]"),
    ] {
        let mut post = TestWorker::without_worker().await;
        post.hire_worker_with(settings).await;
        let booking = post.book(tuesday("10:00")).await;
        post.wait_for_ledger(&booking, &[sent("confirmation")]).await;
        assert_eq!(post.close().await.hellos(), [name]);
    }
}
