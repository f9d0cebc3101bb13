//! `/u/{token}`

use punctual_core::links::Purpose;
use punctual_core::notifications::enqueue_due;
use punctual_queue::Clock;
use reqwest::Method;
use serde_json::json;

use super::test_booking_page;
use super::test_pages::Salon;

async fn customer(salon: &Salon) -> String {
    let id = "SELECT id::text FROM customers ORDER BY created_at LIMIT 1";
    sqlx::query_scalar(id).fetch_one(salon.api.database.pool()).await.unwrap()
}

/// The reminders as `revision outcome`.
async fn reminders(salon: &Salon) -> Vec<String> {
    let rows = "SELECT concat_ws(' ', rev, coalesce(outcome::text, 'waits')) FROM notifications WHERE kind = 'reminder'
                ORDER BY send_at, rev";
    sqlx::query_scalar(rows).fetch_all(salon.api.database.pool()).await.unwrap()
}

/// How many mail jobs about bookings are in these states.
async fn jobs(salon: &Salon, states: &[&str]) -> i64 {
    let count =
        "SELECT count(*) FROM queue.jobs JOIN notifications ON notifications.id::text = jobs.unique_key
                 WHERE booking_id IS NOT NULL AND jobs.state::text = ANY($1)";
    sqlx::query_scalar(count).bind(states).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_mail_program_ends_reminders_with_one_click_and_a_person_begins_them_again() {
    let salon = Salon::open(1, json!({ "reminders": [{ "kind": "offset", "minutes": 1560 }] })).await;
    salon.book("10:00").await;
    let path = salon.link(Purpose::Unsubscribe, &customer(&salon).await, 0);
    // Due at 8 on Monday, which is now: its job exists.
    assert_eq!(
        (reminders(&salon).await, jobs(&salon, &["available"]).await),
        (vec!["1 waits".to_owned()], 2)
    );
    let page = salon.get(&path).await;
    assert!(
        page.text.contains("We remind you") && page.header("cache-control") == "no-store",
        "{}",
        page.text
    );
    assert_eq!(salon.send(salon.request(Method::HEAD, &path)).await.status, 200);
    assert_eq!(reminders(&salon).await, ["1 waits"], "looking changes nothing");

    let click = salon.request(Method::POST, &path).form(&[("List-Unsubscribe", "One-Click")]);
    assert_eq!(salon.send(click).await.status, 200);
    assert_eq!(reminders(&salon).await, ["1 unwanted"]);
    assert_eq!(jobs(&salon, &["cancelled"]).await, 1);
    let confirmation = "notifications WHERE kind = 'confirmation' AND outcome IS NULL";
    assert_eq!(salon.api.count(confirmation).await, 1, "other mails are still sent");

    // A new booking is not reminded of either; both are once reminders are turned on again.
    salon.book("11:00").await;
    assert_eq!(reminders(&salon).await, ["1 unwanted", "1 unwanted"]);
    let page = salon.submit(&path, &[("reminders", "on")]).await;
    assert!(page.text.contains("We remind you"));
    assert_eq!(reminders(&salon).await, ["1 waits", "1 waits"]);
    enqueue_due(salon.api.database.pool(), salon.api.clock.now()).await.unwrap();
    assert_eq!(jobs(&salon, &["scheduled", "available"]).await, 3);
}

#[tokio::test]
async fn one_click_may_come_as_multipart_and_an_unknown_link_ends_nothing() {
    let salon = Salon::open(1, json!({})).await;
    salon.book("10:00").await;
    let id = customer(&salon).await;
    let body =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let click = |path: &str| {
        let request =
            salon.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=x");
        request.body(body)
    };
    let manage_token = salon.manage(&id).replace("/m/", "/u/");
    for path in [salon.link(Purpose::Unsubscribe, &id, 7), manage_token, "/u/x".to_owned()] {
        assert_eq!(salon.send(click(&path)).await.status, 404);
    }
    assert_eq!(reminders(&salon).await, ["1 waits"]);
    let path = salon.link(Purpose::Unsubscribe, &id, 0);
    assert!(salon.send(click(&path)).await.text.contains("You get no reminders"));
    assert_eq!(reminders(&salon).await, ["1 unwanted"]);
}

#[tokio::test]
async fn a_booking_without_reminders_stays_so_through_a_move_and_the_choice_for_all() {
    let salon =
        test_booking_page::salon(1, json!({ "reminders": [{ "kind": "offset", "minutes": 60 }] })).await;
    let path = test_booking_page::Booking { salon: &salon }.hold(test_booking_page::NINE).await;
    let form = salon.get(&path).await;
    assert!(form.text.contains("Send me no reminder of this appointment"), "{}", form.text);
    let wish = [test_booking_page::ADA[0], test_booking_page::ADA[1], ("no_reminder", "yes")];
    let booked = salon.submit(&path, &wish).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    assert_eq!(reminders(&salon).await, ["2 unwanted"]);

    let id: String = sqlx::query_scalar("SELECT id::text FROM bookings")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    assert_eq!(salon.booking(&id).await["reminders"], false);
    let admin = &salon.admin;
    let moved = json!({ "start": "2027-05-04T10:00:00+02:00" });
    let reschedule = format!("/v1/bookings/{id}/reschedule");
    assert_eq!(salon.api.write(Method::POST, &reschedule, admin, Some(&moved)).await.status, 200);
    assert_eq!(reminders(&salon).await.last().unwrap(), "3 unwanted", "the new time");

    // The person's choice for all bookings, off and on again, is not the choice for this one.
    let all = salon.link(Purpose::Unsubscribe, &customer(&salon).await, 0);
    salon.submit(&all, &[("reminders", "off")]).await;
    assert!(
        !salon.get(&salon.manage(&id)).await.text.contains("Send me a reminder"),
        "none at all are wanted"
    );
    salon.submit(&all, &[("reminders", "on")]).await;
    assert_eq!(reminders(&salon).await.last().unwrap(), "3 unwanted");

    let manage = salon.manage(&id);
    let page = salon.get(&manage).await;
    assert!(page.text.contains("You get no reminder of this appointment."), "{}", page.text);
    let choose = format!("{manage}/reminders");
    let on = salon.submit(&choose, &[("reminders", "on")]).await;
    assert_eq!(on.status, 303, "{}", on.text);
    assert_eq!(reminders(&salon).await.last().unwrap(), "3 waits");
    assert!(
        salon.get(&test_booking_page::target(&choose, &on)).await.text.contains("Saved: you get a reminder.")
    );
    salon.submit(&choose, &[("reminders", "off")]).await;
    assert_eq!(reminders(&salon).await.last().unwrap(), "3 unwanted");

    let cancel = format!("/v1/bookings/{id}/cancel");
    assert_eq!(salon.api.write(Method::POST, &cancel, admin, None).await.status, 200);
    let late = salon.submit(&choose, &[("reminders", "on")]).await;
    assert_eq!(late.status, 422, "{}", late.text);
    assert_eq!(reminders(&salon).await.last().unwrap(), "3 unwanted");
}

#[tokio::test]
async fn a_program_books_without_reminders() {
    let salon = Salon::open(1, json!({})).await;
    let mut wish = json!({ "service_id": salon.service, "start": "2027-05-04T09:00:00+02:00", "reminders": false,
        "contact": { "name": "Ada Lovelace", "email": "ada@example.org" } });
    let booked = salon.api.create("/v1/bookings", Some(&salon.admin), &wish).await;
    assert_eq!((booked.status.as_u16(), &booked.body["reminders"]), (201, &json!(false)), "{}", booked.body);
    wish.as_object_mut().unwrap().remove("reminders");
    wish["start"] = json!("2027-05-04T10:00:00+02:00");
    let booked = salon.api.create("/v1/bookings", Some(&salon.admin), &wish).await;
    assert_eq!((booked.status.as_u16(), &booked.body["reminders"]), (201, &json!(true)), "{}", booked.body);
    assert_eq!(reminders(&salon).await, ["1 unwanted", "1 waits"]);
}
