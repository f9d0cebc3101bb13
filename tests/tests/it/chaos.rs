//! A short run of the faults, each under load and followed by the checker. `cargo dev chaos` runs all of them for as
//! long as given.

use punctual_sim::chaos::{Chaos, Fault, Report, TOUR_OF_SERVERS, TOUR_OF_WEBHOOKS, TOUR_OF_WORKERS};

async fn tour(faults: &[Fault]) {
    let Some(mut chaos) = Chaos::begin(1).await.unwrap() else { return };
    let mut report = Report::default();
    if let Err(violation) = chaos.run(faults, &mut report).await {
        panic!("under {}:\n{}\n\n{}", violation.fault, violation.differences.join("\n"), violation.logs);
    }
    println!("{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_stopped_or_frozen_in_the_middle_of_a_send_break_nothing() {
    tour(&TOUR_OF_WORKERS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_at_any_step_of_a_webhook_lose_no_event() {
    tour(&TOUR_OF_WEBHOOKS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_down_silent_or_refusing_break_nothing() {
    tour(&TOUR_OF_SERVERS).await;
}
