//! The wall clock of a machine steps under a real api and a real worker.

use punctual_testkit::FakeClock;

use super::TestStack;

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_a_day_ahead_sends_no_reminder_early_and_stops_nothing() {
    let Some(clock) = FakeClock::find() else { return };
    let mut stack = TestStack::open(1, |programs| clock.on(programs)).await;
    let worker = stack.programs.worker().await;
    let starts = stack.starts().await;
    // The day after tomorrow: its reminder is due tomorrow.
    let first = stack.book("first", &starts[0]).await;
    stack.wait_for_confirmation(&first, |mail| mail["accepted_at"].is_string()).await;
    clock.set(36 * 3600);
    worker.wait_for_log("the wall clock of this machine stepped").await;
    stack.api.wait_for_log("the wall clock of this machine stepped").await;
    // A token made now is good now.
    stack.renew_token().await;
    let second = stack.book("second", &starts[2]).await;
    stack.wait_for_confirmation(&second, |mail| mail["accepted_at"].is_string()).await;
    assert_eq!(stack.sink.journal().len(), 2, "two confirmations and no reminder");
    let ahead: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM queue.periodic WHERE tick > clock_timestamp() + interval '1 minute'",
    )
    .fetch_one(&stack.salon.core.pool)
    .await
    .unwrap();
    assert_eq!(ahead, 0, "no periodic job was made for tomorrow");
    // Back again.
    clock.set(-5 * 3600);
    let third = stack.book("third", &starts[4]).await;
    stack.wait_for_confirmation(&third, |mail| mail["accepted_at"].is_string()).await;
    assert!(worker.stop().await.success());
}
