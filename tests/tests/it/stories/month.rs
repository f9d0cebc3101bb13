//! The simulated month, in short; `cargo dev month` is the long form.

use punctual_sim::month::{Plan, play};

#[tokio::test(flavor = "multi_thread")]
async fn some_days_of_many_customers_leave_no_difference() {
    let month = play(Plan { seed: 27, customers: 40, days: 5 }, |line| println!("{line}")).await.unwrap();
    for report in &month.reports {
        println!("{report}");
    }
    assert!(month.is_good(), "{month:#?}");
    let often = |what: &str| month.tally.get(what).copied().unwrap_or_default();
    for deed in ["book: 201", "cancel: 200", "reschedule: 200", "hold: 201", "confirm: 200"] {
        assert!(often(deed) > 0, "nobody came to this: {deed}\n{:#?}", month.tally);
    }
}
