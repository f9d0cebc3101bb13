//! Appointments that are dragged in the calendar of the desk, in a real browser: the drop opens the form that moves them.

use punctual_testkit::browser::{Browser, Mouse, browser};
use reqwest::Method;
use serde_json::json;

use super::axe::violations;
use super::book_browser::busy_salon;
use super::desk::{TUESDAY, Visitor};
use super::desk_browser::{log_in, log_in_as, open};
use super::test_pages::Salon;

/// A place of the window.
type Place = (f64, f64);

async fn place(browser: &mut Browser, expression: &str) -> Place {
    let place = browser.evaluate(&format!("JSON.stringify({expression})")).await.unwrap();
    serde_json::from_str(&place).unwrap()
}

/// The upper edge of the card with this name: its start.
async fn card(browser: &mut Browser, name: &str) -> Place {
    let find = format!(
        "(() => {{ const card = [...document.querySelectorAll('.card:not(.ghost)')].find(card => card.innerText.includes('{name}'));
            card.scrollIntoView({{ block: 'nearest' }});
            const box = card.getBoundingClientRect(); return [box.left + box.width / 2, box.top + 6]; }})()"
    );
    place(browser, &find).await
}

/// This time of day in the column with this index.
async fn slot(browser: &mut Browser, column: usize, time: &str) -> Place {
    let (hour, minutes) = time.split_once(':').unwrap();
    let find = format!(
        "(() => {{ const hour = [...document.querySelectorAll('.axis li')].find(hour => hour.innerText.trim() === '{hour}:00').getBoundingClientRect();
            const column = document.querySelectorAll('.column')[{column}].getBoundingClientRect();
            return [column.left + column.width / 2, hour.top + hour.height * {} / 60 + 6]; }})()",
        minutes.parse::<u32>().unwrap()
    );
    place(browser, &find).await
}

/// Presses on a card and takes it to a time, without letting go. Waits until it is shown there.
async fn take(browser: &mut Browser, name: &str, column: usize, time: &str) -> Place {
    let from = card(browser, name).await;
    browser.mouse(Mouse::Press, from).await.unwrap();
    take_on(browser, column, time).await
}

/// Takes a card that is held to another time.
async fn take_on(browser: &mut Browser, column: usize, time: &str) -> Place {
    let to = slot(browser, column, time).await;
    browser.mouse(Mouse::Move, to).await.unwrap();
    let shown = format!(
        "String(document.querySelectorAll('.column')[{column}].querySelector('.ghost b')?.textContent === '{time}')"
    );
    browser.wait_for(&shown).await.unwrap();
    to
}

/// Drops a card on a time; the form follows.
async fn drag(browser: &mut Browser, name: &str, column: usize, time: &str) {
    let to = take(browser, name, column, time).await;
    browser.drop_to_follow(to).await.unwrap();
}

async fn says(browser: &mut Browser, wanted: &[&str]) {
    let text = browser.text().await.unwrap();
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

/// Whether an element is on the page.
async fn has(browser: &mut Browser, selector: &str) -> bool {
    let found = format!("String(document.querySelector('{selector}') !== null)");
    browser.evaluate(&found).await.unwrap() == "true"
}

const OVERRIDE: &str = "input[name=override]";

async fn day(browser: &mut Browser, salon: &Salon, date: &str) {
    open(browser, salon, &format!("/desk?date={date}")).await;
}

/// A booking that staff make, whatever the hours; answers its id.
pub async fn booked(salon: &Salon, service: &str, staff: usize, start: &str, name: &str) -> String {
    let new = json!({ "service_id": service, "staff_id": salon.staff[staff], "start": start, "override": true,
        "contact": { "name": name, "phone": "+49 30 901820" } });
    let made = salon.api.create("/v1/bookings", Some(&salon.admin), &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

/// A member of staff leaves the business.
pub async fn leaves(salon: &Salon, staff: usize) {
    let path = format!("/v1/staff/{}", salon.staff[staff]);
    let left = salon.api.write(Method::PATCH, &path, &salon.admin, Some(&json!({ "active": false }))).await;
    assert_eq!(left.status, 200, "{}", left.body);
}

/// What a colleague does with a form of a booking.
async fn colleague(salon: &Salon, path: &str, fields: &[(&str, &str)]) {
    let staff = salon.api.somebody("staff").await;
    let done = Visitor::of(salon, &staff).await.send(path, fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_is_dragged_to_another_time_and_moved_by_the_form_that_opens() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    log_in(&mut browser, &salon).await;
    day(&mut browser, &salon, TUESDAY).await;
    let to = take(&mut browser, "Ada Lovelace", 0, "10:30").await;
    assert_eq!(violations(&mut browser).await, Vec::<String>::new());
    browser.drop_to_follow(to).await.unwrap();
    says(&mut browser, &["Tuesday, 4 May 2027", "10:30–11:30", "Ada Lovelace", "Maria 1"]).await;
    assert!(!has(&mut browser, OVERRIDE).await, "a free time needs no override");
    assert_eq!(salon.booking(&id).await["rev"], 1, "a drop alone moves nothing");
    browser.follow("Move it to this time").await.unwrap();
    says(&mut browser, &["The appointment was moved."]).await;
    let moved = salon.booking(&id).await;
    assert_eq!((&moved["start"], &moved["rev"]), (&json!("2027-05-04T10:30:00+02:00"), &json!(2)));
    assert_eq!(salon.api.count("notifications WHERE kind = 'reschedule' AND outcome IS NULL").await, 1);

    // A click is no drag.
    day(&mut browser, &salon, TUESDAY).await;
    browser.follow_containing("Ada Lovelace").await.unwrap();
    assert!(browser.address().await.unwrap().ends_with(&format!("/desk/b/{id}")));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_and_the_front_desk_drag_an_appointment_to_another_member_of_staff() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    for (role, column, name) in [("staff", 1, "Maria 2"), ("front_desk", 0, "Maria 1")] {
        let session = salon.api.somebody(role).await;
        log_in_as(&mut browser, &salon, &session).await;
        day(&mut browser, &salon, TUESDAY).await;
        drag(&mut browser, "Ada Lovelace", column, "09:00").await;
        says(&mut browser, &["09:00–10:00", name]).await;
        browser.follow("Move it to this time").await.unwrap();
        let moved = salon.booking(&id).await;
        let place = (&moved["start"], &moved["staff"]["name"]);
        assert_eq!(place, (&json!("2027-05-04T09:00:00+02:00"), &json!(name)), "{role}");
        browser.follow("Log out").await.unwrap();
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_week_an_appointment_is_dragged_to_another_day() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    log_in(&mut browser, &salon).await;
    open(&mut browser, &salon, &format!("/desk/week/{}?date={TUESDAY}&lang=de", salon.staff[0])).await;
    drag(&mut browser, "Ada Lovelace", 2, "11:00").await;
    says(&mut browser, &["Mittwoch, 5. Mai 2027", "11:00–12:00 Uhr", "Maria 1"]).await;
    browser.follow("Auf diese Zeit verschieben").await.unwrap();
    assert_eq!(salon.booking(&id).await["start"], "2027-05-05T11:00:00+02:00");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drag_that_is_given_up_changes_nothing_and_the_next_click_works() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    log_in(&mut browser, &salon).await;
    for given_up in ["by Escape", "by dropping it where it was"] {
        day(&mut browser, &salon, TUESDAY).await;
        let mut to = take(&mut browser, "Ada Lovelace", 1, "10:00").await;
        if given_up == "by Escape" {
            browser.press("Escape").await.unwrap();
        } else {
            to = take_on(&mut browser, 0, "09:00").await;
        }
        browser.mouse(Mouse::Release, to).await.unwrap();
        for trace in [".ghost", ".moving", ".dragging"] {
            assert!(!has(&mut browser, trace).await, "{given_up}: {trace}");
        }
        // With the key, the first time: a drag leaves no click to be ignored.
        if given_up == "by Escape" {
            browser.evaluate("document.querySelector('.card a').focus(), ''").await.unwrap();
            browser.press_to_follow("Enter").await.unwrap();
        } else {
            browser.follow_containing("Ada Lovelace").await.unwrap();
        }
        assert!(browser.address().await.unwrap().ends_with(&format!("/desk/b/{id}")), "{given_up}");
    }
    assert_eq!(salon.booking(&id).await["rev"], 1);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drag_goes_on_when_a_colleague_books_in_the_meantime() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    log_in(&mut browser, &salon).await;
    day(&mut browser, &salon, TUESDAY).await;
    take(&mut browser, "Ada Lovelace", 0, "10:00").await;
    booked(&salon, &salon.service, 1, "2027-05-04T07:30:00+02:00", "Grace Hopper").await;
    browser.wait_for_text("Grace Hopper").await.unwrap();
    // The calendar was replaced, and begins two hours earlier.
    let to = take_on(&mut browser, 0, "11:00").await;
    let count =
        "String(document.querySelectorAll('.ghost').length + document.querySelectorAll('.moving').length)";
    assert_eq!(browser.evaluate(count).await.unwrap(), "2");
    browser.drop_to_follow(to).await.unwrap();
    browser.follow("Move it to this time").await.unwrap();
    assert_eq!(salon.booking(&id).await["start"], "2027-05-04T11:00:00+02:00");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_colleague_did_to_a_dragged_appointment_is_shown_and_not_overwritten() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    let path = format!("/desk/b/{id}/move");
    log_in(&mut browser, &salon).await;
    day(&mut browser, &salon, TUESDAY).await;

    // During the drag.
    let to = take(&mut browser, "Ada Lovelace", 0, "10:00").await;
    let elsewhere = [("rev", "1"), ("start", "20270504T0900Z"), ("staff", &salon.staff[1])];
    colleague(&salon, &path, &elsewhere).await;
    browser.drop_to_follow(to).await.unwrap();
    says(
        &mut browser,
        &["Somebody else changed", "Moved by staff", "→ Tuesday, 4 May, 11:00", "10:00–11:00"],
    )
    .await;

    // Between the drop and the press.
    let elsewhere = [("rev", "2"), ("start", "20270504T0845Z"), ("staff", &salon.staff[1])];
    colleague(&salon, &path, &elsewhere).await;
    browser.follow("Move it to this time").await.unwrap();
    says(&mut browser, &["Somebody else changed", "Nothing was changed", "→ Tuesday, 4 May, 10:45"]).await;
    let kept = salon.booking(&id).await;
    assert_eq!((&kept["start"], &kept["rev"]), (&json!("2027-05-04T10:45:00+02:00"), &json!(3)));
    colleague(&salon, &format!("/desk/b/{id}/cancel"), &[("rev", "3")]).await;
    browser.follow("Move it to this time").await.unwrap();
    says(&mut browser, &["Cancelled by staff"]).await;
    assert_eq!(salon.booking(&id).await["status"], "cancelled");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_dropped_appointment_has_no_place_the_form_says_what_to_do() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    let colour =
        json!({ "name": "Colour", "duration_min": 45, "price_minor": 6000, "staff_ids": [salon.staff[1]] });
    let colour = salon.api.post("/v1/services", Some(&salon.admin), &colour).await.body["id"].clone();
    booked(&salon, colour.as_str().unwrap(), 1, "2027-05-04T10:00:00+02:00", "Grace Hopper").await;
    booked(&salon, &salon.service, 1, "2027-05-04T14:00:00+02:00", "Alan Turing").await;
    log_in(&mut browser, &salon).await;

    // On another appointment.
    day(&mut browser, &salon, TUESDAY).await;
    drag(&mut browser, "Ada Lovelace", 1, "10:15").await;
    for press in [false, true] {
        if press {
            browser.follow("Move it to this time").await.unwrap();
        }
        says(&mut browser, &["this time is taken", "These times are free", "10:15–11:15"]).await;
        assert!(!has(&mut browser, OVERRIDE).await, "an override does not help");
    }

    // Outside of the hours.
    day(&mut browser, &salon, TUESDAY).await;
    drag(&mut browser, "Ada Lovelace", 0, "13:00").await;
    assert!(has(&mut browser, OVERRIDE).await);
    browser.follow("Move it to this time").await.unwrap();
    says(&mut browser, &["outside of our hours", "Tick the box"]).await;
    assert_eq!(salon.booking(&id).await["rev"], 1, "so far nothing was moved");
    browser.click("Book it although it is outside of our hours or between the usual times").await.unwrap();
    browser.follow("Move it to this time").await.unwrap();
    says(&mut browser, &["The appointment was moved.", "rules overridden"]).await;
    assert_eq!(salon.booking(&id).await["start"], "2027-05-04T13:00:00+02:00");

    // To somebody who does not perform it.
    day(&mut browser, &salon, TUESDAY).await;
    drag(&mut browser, "Grace Hopper", 0, "10:00").await;
    says(&mut browser, &["this person does not do this service"]).await;
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_days_that_change_the_clocks_a_drop_means_what_the_form_means() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    log_in(&mut browser, &salon).await;
    for (date, before, after, times) in [
        ("2027-10-31", "+02:00", "+01:00", [("02:30", "20271031T0030Z"), ("04:00", "20271031T0300Z")]),
        ("2028-03-26", "+01:00", "+02:00", [("02:30", ""), ("04:00", "20280326T0200Z")]),
    ] {
        booked(&salon, &salon.service, 1, &format!("{date}T01:00:00{before}"), "Grace Hopper").await;
        let late =
            booked(&salon, &salon.service, 0, &format!("{date}T12:00:00{after}"), "Ada Lovelace").await;
        for (time, start) in times {
            day(&mut browser, &salon, date).await;
            let from = card(&mut browser, "Ada Lovelace").await;
            browser.mouse(Mouse::Press, from).await.unwrap();
            let below = "String(document.querySelector('.board').scrollTop > 0)";
            assert_eq!(browser.evaluate(below).await.unwrap(), "true");
            // The board scrolls at its upper edge.
            let edge = place(&mut browser, "(() => { const box = document.querySelector('.board').getBoundingClientRect(); return [box.left + 200, box.top + 60]; })()").await;
            browser.mouse(Mouse::Move, edge).await.unwrap();
            browser.wait_for("String(document.querySelector('.board').scrollTop === 0)").await.unwrap();
            let to = take_on(&mut browser, 0, time).await;
            browser.drop_to_follow(to).await.unwrap();
            let dropped =
                browser.evaluate("document.querySelector('input[name=start]').value").await.unwrap();
            let typed = format!("/desk/b/{late}/move?date={date}&time={time}&staff={}", salon.staff[0]);
            let typed = Visitor::of(&salon, &salon.admin).await.get(&typed).await;
            assert_eq!(dropped, typed.field("start"), "{date} {time}");
            assert!(start.is_empty() || dropped == start, "{date} {time}: {dropped}");
        }
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_cannot_be_dropped_on_former_staff_but_taken_over_from_them() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    salon.book("09:00").await;
    let orphan = booked(&salon, &salon.service, 1, "2027-05-04T11:00:00+02:00", "Grace Hopper").await;
    leaves(&salon, 1).await;
    log_in(&mut browser, &salon).await;
    day(&mut browser, &salon, TUESDAY).await;
    take(&mut browser, "Ada Lovelace", 0, "10:00").await;
    let former = slot(&mut browser, 1, "09:00").await;
    browser.mouse(Mouse::Move, former).await.unwrap();
    browser.wait_for("String(document.querySelector('.ghost') === null)").await.unwrap();
    browser.mouse(Mouse::Release, former).await.unwrap();
    for trace in [".moving", ".dragging"] {
        assert!(!has(&mut browser, trace).await, "{trace}");
    }
    drag(&mut browser, "Grace Hopper", 0, "11:00").await;
    browser.follow("Move it to this time").await.unwrap();
    assert_eq!(salon.booking(&orphan).await["staff"]["name"], "Maria 1");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_day_opens_usual_starts_can_be_dropped_on() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let date = format!("/v1/staff/{}/overrides/{TUESDAY}", salon.staff[1]);
    let odd = json!({ "windows": [{ "start": "09:05", "end": "12:05" }] });
    let put = salon.api.write(Method::PUT, &date, &salon.admin, Some(&odd)).await;
    assert_eq!(put.status, 200, "{}", put.body);
    salon.book("09:00").await;
    log_in(&mut browser, &salon).await;
    for (column, time) in [(1, "10:20"), (0, "10:15")] {
        day(&mut browser, &salon, TUESDAY).await;
        drag(&mut browser, "Ada Lovelace", column, time).await;
        assert!(!has(&mut browser, OVERRIDE).await, "{time}");
    }
    browser.close().await.unwrap();
}

#[tokio::test]
async fn only_what_can_be_moved_can_be_dragged() {
    let salon = busy_salon(&[]).await;
    salon.book("09:00").await;
    let gone = salon.book("10:00").await;
    let movable = salon.book("11:00").await;
    let class: String = sqlx::query_scalar("SELECT id::text FROM services WHERE capacity > 1")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    booked(&salon, &class, 0, "2027-05-04T13:00:00+02:00", "Grace Hopper").await;
    let off = json!({ "start": "2027-05-04T10:00:00+02:00", "end": "2027-05-04T11:00:00+02:00" });
    let path = format!("/v1/staff/{}/time-off", salon.staff[1]);
    assert_eq!(salon.api.post(&path, Some(&salon.admin), &off).await.status, 201);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    assert_eq!(visitor.send(&format!("/desk/b/{gone}/cancel"), &[("rev", "1")]).await.status, 303);
    let start = chrono::DateTime::parse_from_rfc3339("2027-05-04T09:30:00+02:00").unwrap().to_utc();
    salon.api.clock.set(start);
    let page = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    for seen in ["Ada Lovelace", "Braiding class", "Away"] {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }
    let forms: Vec<&str> = page.text.split("data-move=\"").skip(1).collect();
    let form =
        format!("./desk/b/{movable}/move?rev=1\" data-from=\"660\" data-minutes=\"60\" data-step=\"15\"");
    assert_eq!(forms.len(), 1, "{}", page.text);
    assert!(forms[0].replace("&#x2f;", "/").starts_with(&form), "{}", forms[0]);
}
