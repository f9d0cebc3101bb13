//! Several services in one visit on `/book`.

use punctual_testkit::browser::{Look, browser};
use reqwest::Method;
use serde_json::json;

use super::book_browser::{busy_salon, fits};
use super::test_booking_page::{ADA, NINE, TEN, salon, target};
use super::test_pages::Salon;

/// A service that only the second member of staff performs.
async fn colouring(salon: &Salon) -> String {
    let new = json!({ "name": "Colour <b>", "duration_min": 45, "price_minor": 6000, "staff_ids": [salon.staff[1]] });
    let made = salon.api.post("/v1/services", Some(&salon.admin), &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

/// The form for a start: its path with the key, and its token.
async fn form(salon: &Salon, times: &str, start: &str) -> (String, String) {
    let path = format!("{times}/{start}");
    let keyed = target(&path, &salon.get(&path).await);
    let page = salon.get(&keyed).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token = page.field("token").to_owned();
    (keyed, token)
}

/// Where a link of a page leads.
fn target_of(from: &str, link: &str) -> String {
    let base = reqwest::Url::parse("http://salon.test").unwrap().join(from).unwrap();
    base.join(link).unwrap().path().to_owned()
}

/// Wednesday, 9 o'clock.
const WEDNESDAY: &str = "20270505T0700Z";

fn with_token(token: &str) -> Vec<(&'static str, &str)> {
    [&[("token", token)][..], &ADA].concat()
}

#[tokio::test]
async fn a_guest_books_several_services_in_one_visit() {
    let salon = salon(2, json!({ "name": "Haircut" })).await;
    let colour = colouring(&salon).await;
    let one = format!("/book/{}/anyone", salon.service);
    let times = salon.get(&one).await;
    assert!(times.text.contains("Add another service"), "{}", times.text);
    let add = salon.get(&format!("{one}/add")).await;
    for seen in ["Which service next?", "Haircut", "Colour &lt;b&gt;", &format!("{},{colour}", salon.service)]
    {
        assert!(add.text.contains(seen), "{seen} in {}", add.text);
    }
    let both = format!("/book/{},{colour}/anyone", salon.service);
    let bare = both.trim_end_matches("/anyone");
    assert_eq!(target(bare, &salon.get(bare).await), both);
    let times = salon.get(&both).await;
    for seen in ["Haircut + Colour &lt;b&gt;", "105 minutes", "€105.00", "Leave out", "Next free:", NINE] {
        assert!(times.text.contains(seen), "{seen} in {}", times.text);
    }
    assert!(!times.text.contains("20270504T0930Z"), "12:45 is after closing: {}", times.text);
    let (path, token) = form(&salon, &both, NINE).await;
    let page = salon.get(&path).await;
    assert_eq!(page.field("token"), token, "to load it again makes no other key");
    for seen in
        ["09:00–10:45", "09:00–10:00", "10:00–10:45", "Maria 2", "Haircut", "Colour &lt;b&gt;", "Book now"]
    {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }
    assert_eq!(salon.api.count("bookings").await, 0, "looking changes nothing");
    let refused = salon.submit(&path, &[("token", &token), ("name", "Ada"), ("email", "ada@")]).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("name@example.org") && refused.text.contains("value=\"Ada\""),
        "{}",
        refused.text
    );
    let press = || async { salon.submit(&path, &with_token(&token)).await };
    let (first, second) = tokio::join!(press(), press());
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303), "{} {}", first.text, second.text);
    assert_eq!(first.header("location"), second.header("location"), "a second press books nothing more");
    assert_eq!(salon.api.count("bookings WHERE status = 'confirmed'").await, 2);
    let manage = salon.get(&target(&path, &first)).await;
    assert!(
        manage.text.contains("Your visit is booked.") && manage.text.contains("09:00–10:00"),
        "{}",
        manage.text
    );
    for seen in
        ["Also part of your visit", "Colour &lt;b&gt;", "Tuesday, 4 May 2027, 10:00–10:45, with Maria 2"]
    {
        assert!(manage.text.contains(seen), "{seen} in {}", manage.text);
    }
    // The page of the other leads back; a booking by itself has no others.
    let other = manage.between("<ul class=\"services\">\n<li><a href=\"", "\"").replace("&#x2f;", "/");
    let second = salon.get(&target_of(&target(&path, &first), &other)).await;
    for seen in ["10:00–10:45", "Also part of your visit", "Haircut", "09:00–10:00, with Maria"] {
        assert!(second.text.contains(seen), "{seen} in {}", second.text);
    }
    let alone = salon.book("11:00").await;
    assert!(!salon.get(&salon.manage(&alone)).await.text.contains("Also part"));
    let mails = "notifications WHERE recipient = 'ada@example.org' AND kind <> 'reminder'";
    assert_eq!(salon.api.count(mails).await, 1, "one confirmation");
    let of_both = "notifications WHERE recipient = 'ada@example.org' AND kind = 'appointments_booked'
        AND cardinality(booking_ids) = 2";
    assert_eq!(salon.api.count(of_both).await, 1);
}

#[tokio::test]
async fn a_visit_that_does_not_fit_any_more_offers_others_and_keeps_what_was_written() {
    let salon = salon(1, json!({ "name": "Haircut" })).await;
    let twice = format!("/book/{0},{0}/anyone", salon.service);
    let (path, token) = form(&salon, &twice, NINE).await;
    let notice = "This visit does not fit at this time.";
    assert!(!salon.get(&path).await.text.contains(notice));
    salon.book("10:00").await;
    let reloaded = salon.get(&path).await;
    assert!(reloaded.text.contains(notice), "{}", reloaded.text);
    let answer = salon.submit(&path, &with_token(&token)).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    for seen in [
        "does not fit at this time",
        "no place for Haircut",
        "ada@example.org",
        "Wednesday, 5 May 2027, 09:00",
    ] {
        assert!(answer.text.contains(seen), "{seen} in {}", answer.text);
    }
    assert_eq!(salon.api.count("bookings").await, 1, "nothing of it is booked");
    let instead = answer.between("<form method=\"post\" action=\"", "\"").replace("&#x2f;", "/");
    let instead =
        reqwest::Url::parse("http://salon.test").unwrap().join(&path).unwrap().join(&instead).unwrap();
    let fields = [&with_token(answer.field("token"))[..], &[("check", "yes")]].concat();
    let shown = salon.submit(instead.path(), &fields).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains("value=\"Ada Lovelace\""), "{}", shown.text);
    assert_eq!(salon.api.count("bookings").await, 1, "the other start is shown before it is booked");
    let made = salon.submit(instead.path(), &with_token(shown.field("token"))).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(salon.api.count("bookings WHERE status = 'confirmed'").await, 3);
}

#[tokio::test]
async fn what_is_no_visit_is_not_found() {
    let salon = salon(1, json!({ "name": "Haircut" })).await;
    let id = &salon.service;
    let six = [id.as_str(); 6].join(",");
    for path in [
        format!("/book/{id},/anyone"),
        format!("/book/{id},nothing"),
        format!("/book/{id},{id}/{id}"),
        format!("/book/{id},{id}/anyone/soon"),
        format!("/book/{six}/anyone"),
        format!("/book/{six}/anyone/{TEN}"),
    ] {
        let page = salon.get(&path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("There is nothing here"), "{}", page.text);
    }
    let five = format!("/book/{}/anyone", [id.as_str(); 5].join(","));
    let page = salon.get(&five).await;
    assert!(page.status == 200 && !page.text.contains("Add another service"), "{}", page.text);
    assert!(salon.get(&format!("{five}/add")).await.text.contains("at most five"));
    let (path, _) = form(&salon, &format!("/book/{id},{id}/anyone"), TEN).await;
    let stale = salon.submit(&path, &with_token("nothing")).await;
    assert!(stale.text.contains("This form has expired"), "{}", stale.text);
    assert_eq!(salon.api.count("bookings").await, 0);
}

#[tokio::test]
async fn a_customer_with_an_account_books_a_visit_without_contact_details() {
    let salon = salon(1, json!({ "name": "Haircut" })).await;
    let visitor = super::desk::Visitor::of(&salon, &salon.customer).await;
    let path = format!("/book/{0},{0}/anyone/{NINE}", salon.service);
    let page = visitor.get(&target(&path, &visitor.get(&path).await)).await;
    assert!(
        !page.text.contains("name=\"email\"") && page.text.contains("name=\"for_whom\""),
        "{}",
        page.text
    );
    let fields = [("token", page.field("token")), ("note", ""), ("for_whom", "Little Carl")];
    let made = visitor.submit(&path, &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(salon.api.count("bookings WHERE for_whom = 'Little Carl'").await, 2);
}

/// Times of two haircuts in one visit, with anyone.
fn twice(salon: &Salon) -> String {
    format!("/book/{0},{0}/anyone", salon.service)
}

#[tokio::test]
async fn a_form_books_once_whatever_is_changed_in_it_before_it_is_sent_again() {
    let salon = salon(2, json!({ "name": "Haircut" })).await;
    let (path, token) = form(&salon, &twice(&salon), NINE).await;
    let with = |name: &'static str, value: &'static str| {
        let changed =
            |field: (&'static str, &'static str)| if field.0 == name { (name, value) } else { field };
        [("token", token.as_str())].into_iter().chain(ADA.map(changed)).collect::<Vec<_>>()
    };
    let (first, second) = (with("note", "One"), with("note", "Two"));
    let (first, second) = tokio::join!(salon.submit(&path, &first), salon.submit(&path, &second));
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303), "{} {}", first.text, second.text);
    let booked = target(&path, &first);
    assert!(booked.starts_with("/m/") && booked.ends_with("?done=visit"), "{booked}");
    assert_eq!(target(&path, &second), booked, "pressed twice with different notes");
    for (name, value) in [("note", ""), ("email", "ada@example.com"), ("email", "ada@"), ("name", "Ada L.")] {
        let again = salon.submit(&path, &with(name, value)).await;
        assert_eq!(again.status, 303, "{name} {value}: {}", again.text);
        assert_eq!(target(&path, &again), booked, "{name} {value}");
    }
    let visitor = super::desk::Visitor::of(&salon, &salon.customer).await;
    let logged_in = visitor.submit(&path, &[("token", &token), ("note", "")]).await;
    assert_eq!(target(&path, &logged_in), booked, "she logged in meanwhile");
    assert_eq!(target(&path, &salon.get(&path).await), booked, "the form leads to what it booked");
    assert_eq!(salon.api.count("bookings").await, 2);
    assert_eq!(salon.api.count("customers WHERE email = 'ada@example.org'").await, 1);
    assert_eq!(salon.api.count("customers WHERE email = 'ada@example.com'").await, 0);
    let (other, token) = form(&salon, &twice(&salon), NINE).await;
    let made = salon.submit(&other, &with_token(&token)).await;
    assert_ne!(target(&other, &made), booked, "another form books another visit");
    assert_eq!(salon.api.count("bookings").await, 4);
}

#[tokio::test]
async fn a_customer_with_an_account_presses_again_with_another_note() {
    let salon = salon(2, json!({ "name": "Haircut" })).await;
    let visitor = super::desk::Visitor::of(&salon, &salon.customer).await;
    let path = format!("{}/{NINE}", twice(&salon));
    let path = target(&path, &visitor.get(&path).await);
    let token = visitor.get(&path).await.field("token").to_owned();
    let first = visitor.submit(&path, &[("token", &token), ("note", "")]).await;
    let second = visitor.submit(&path, &[("token", &token), ("note", "By the window")]).await;
    assert_eq!(target(&path, &first), target(&path, &second));
    assert_eq!(salon.api.count("bookings").await, 2);
}

#[tokio::test]
async fn a_visit_is_booked_with_the_staff_that_the_form_showed() {
    let salon = salon(2, json!({ "name": "Haircut" })).await;
    let (path, token) = form(&salon, &twice(&salon), NINE).await;
    let page = salon.get(&path).await;
    let shown = page.field("staff").to_owned();
    assert!(salon.staff.contains(&shown), "{}", page.text);
    assert_eq!(page.text.matches("name=\"staff\"").count(), 2, "{}", page.text);
    let of = |ids: &'static [usize]| {
        let ids = ids.iter().map(|at| ("staff", salon.staff[*at].as_str()));
        with_token(&token).into_iter().chain(ids).collect::<Vec<_>>()
    };
    for wrong in [&of(&[0])[..], &of(&[0, 0, 0]), &[&of(&[0])[..], &[("staff", "nobody")]].concat()] {
        assert_eq!(salon.submit(&path, wrong).await.status, 404);
    }
    let busy =
        json!({ "service_id": salon.service, "staff_id": shown, "start": "2027-05-04T10:00:00+02:00" });
    assert_eq!(salon.api.create("/v1/bookings", Some(&salon.customer), &busy).await.status, 201);
    let at = salon.staff.iter().position(|id| *id == shown).unwrap();
    let (same, other): (&[usize], &[usize]) = if at == 0 { (&[0, 0], &[1, 1]) } else { (&[1, 1], &[0, 0]) };
    let answer = salon.submit(&path, &of(same)).await;
    assert_eq!(answer.status, 409, "somebody else is not booked in their place: {}", answer.text);
    assert!(answer.text.contains("Tuesday, 4 May 2027, 09:00"), "the other is free: {}", answer.text);
    assert_eq!(salon.api.count("bookings").await, 1);
    let again = salon.get(&path).await;
    assert_eq!(again.field("staff"), salon.staff[other[0]], "{}", again.text);
    let made = salon.submit(&path, &of(other)).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let performers =
        "(SELECT DISTINCT b.staff_id FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id
        WHERE c.email = 'ada@example.org') AS performers";
    assert_eq!(salon.api.count(performers).await, 1);
}

#[tokio::test]
async fn who_no_longer_performs_a_service_of_the_form_is_replaced_before_it_books_and_what_was_typed_stays() {
    let salon = salon(2, json!({ "name": "Haircut" })).await;
    let colour = colouring(&salon).await;
    // By anyone, and by a member of staff of the path who soon performs nothing of it.
    for (before, who, start) in [(0, "anyone", NINE), (2, &*salon.staff[1], WEDNESDAY)] {
        let staff = json!({ "staff_ids": [salon.staff[1]] });
        let path = format!("/v1/services/{colour}");
        let set =
            async |staff| salon.api.write(Method::PATCH, &path, &salon.admin, Some(&staff)).await.status;
        assert_eq!(set(staff).await, 200);
        let times = format!("/book/{colour},{colour}/{who}");
        let (form, token) = form(&salon, &times, start).await;
        let page = salon.get(&form).await;
        assert_eq!(page.field("staff"), salon.staff[1], "{}", page.text);
        assert_eq!(set(json!({ "staff_ids": [salon.staff[0]] })).await, 200);
        let shown =
            [&with_token(&token)[..], &[("staff", &salon.staff[1]), ("staff", &salon.staff[1])]].concat();
        let refused = salon.submit(&form, &shown).await;
        assert_eq!(refused.status, 409, "{who}: {}", refused.text);
        for seen in
            ["no longer done by the person", "value=\"Ada Lovelace\"", "ada@example.org", "By the window"]
        {
            assert!(refused.text.contains(seen), "{seen} in {}", refused.text);
        }
        assert_eq!(salon.api.count("bookings").await, before, "{who}");
        let now = refused.field("staff");
        assert_eq!(now, salon.staff[0], "{}", refused.text);
        let faulty =
            [("token", &*token), ("name", ""), ("email", "ada@"), ("staff", &salon.staff[1]), ("staff", now)];
        let faulty = salon.submit(&form, &faulty).await;
        assert!(faulty.status == 422 && faulty.text.contains("no longer done"), "{}", faulty.text);
        let again = [&with_token(refused.field("token"))[..], &[("staff", now), ("staff", now)]].concat();
        let made = salon.submit(&form, &again).await;
        assert_eq!(made.status, 303, "{}", made.text);
    }
}

#[tokio::test]
async fn a_visit_is_requested_if_one_of_its_services_is_to_be_confirmed() {
    let salon = salon(1, json!({ "name": "Haircut" })).await;
    let new = json!({ "name": "Perm", "duration_min": 60, "staff_ids": salon.staff, "requires_confirmation": true });
    let made = salon.api.post("/v1/services", Some(&salon.admin), &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let perm = made.body["id"].as_str().unwrap();
    for (services, start) in
        [(format!("{},{perm}", salon.service), NINE), (format!("{perm},{}", salon.service), WEDNESDAY)]
    {
        let (path, token) = form(&salon, &format!("/book/{services}/anyone"), start).await;
        let booked = target(&path, &salon.submit(&path, &with_token(&token)).await);
        let page = salon.get(&booked).await;
        assert!(
            page.text.contains("We received your request and will confirm it by mail."),
            "{start}: {}",
            page.text
        );
    }
    assert_eq!(salon.api.count("bookings WHERE status = 'pending'").await, 2);
    assert_eq!(salon.api.count("bookings WHERE status = 'confirmed'").await, 2);
}

#[tokio::test]
async fn a_guest_is_told_before_the_form_that_an_account_is_needed() {
    let salon = Salon::open(1, json!({ "name": "Haircut" })).await;
    let path = format!("{}/{NINE}", twice(&salon));
    let path = target(&path, &salon.get(&path).await);
    let refused = salon.get(&path).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    assert!(refused.text.contains("Only with an account"), "{}", refused.text);
    assert!(!refused.text.contains("name=\"email\""), "{}", refused.text);
    let visitor = super::desk::Visitor::of(&salon, &salon.customer).await;
    assert_eq!(visitor.get(&path).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_books_a_visit_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let other =
        json!({ "name": "Beard trim", "duration_min": 30, "price_minor": 1500, "staff_ids": salon.staff });
    assert_eq!(salon.api.post("/v1/services", Some(&salon.admin), &other).await.status, 201);
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    browser.open(&format!("{}/book", salon.api.url)).await.unwrap();
    browser.follow_containing("Haircut").await.unwrap();
    browser.follow_containing("Maria 1").await.unwrap();
    browser.follow("+ Add another service").await.unwrap();
    browser.follow_containing("Beard trim").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("Haircut + Beard trim") && text.contains("€60.00"), "{text}");
    assert!(fits(&mut browser).await);
    browser.follow("+ Add another service").await.unwrap();
    browser.follow_containing("Haircut €45.00").await.unwrap();
    browser.follow("Leave out 3. Haircut").await.unwrap();
    browser.follow_containing("Next free:").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("09:00–10:30") && text.contains("Beard trim with Maria 1"), "{text}");
    assert!(fits(&mut browser).await);
    browser.fill("input[name=name]", "Ada Lovelace").await.unwrap();
    browser.fill("input[name=email]", "ada@example.org").await.unwrap();
    browser.follow("Book now").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("Your visit is booked."), "{text}");
    assert!(fits(&mut browser).await);
    let of_maria =
        "bookings JOIN staff ON staff.id = staff_id WHERE status = 'confirmed' AND staff.name = 'Maria 1'";
    assert_eq!(salon.api.count(of_maria).await, 2);
    browser.close().await.unwrap();
}
