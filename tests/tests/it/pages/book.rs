//! `/book`, over HTTP: a customer without an account, a script or a cookie.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::test_booking_page::{ADA, Booking, NINE, TEN, change_business, salon, target};
use super::test_pages::Salon;

#[tokio::test]
async fn a_guest_books_from_the_list_of_services_to_the_page_of_the_booking() {
    let salon = salon(2, json!({ "category": "Hair", "description": "<script>alert(1)</script>" })).await;
    let book = Booking { salon: &salon };
    let front = salon.get("/").await;
    assert_eq!((front.status.as_u16(), front.header("location")), (302, "book"));
    let services = salon.get("/book").await;
    assert_eq!(services.status, 200);
    for text in [
        "Book an appointment",
        "Salon",
        "<h2>Hair</h2>",
        "Haircut &amp; &lt;b&gt;colour",
        "1 hour",
        "€45.00",
        "Sonnenallee 1<br>",
        "+49 30 1234",
        "09:00–12:00",
        "Closed",
    ] {
        assert!(services.text.contains(text), "{text} in {}", services.text);
    }
    let link = format!("href=\"book/{}/anyone\"", salon.service).replace('/', "&#x2f;");
    assert!(services.text.replace('/', "&#x2f;").contains(&link), "{}", services.text);
    let times = salon.get(&book.times()).await;
    for text in ["Anyone who is free", "Maria 1", "Next free:", "Tuesday, 4 May 2027, 09:00", "Morning"] {
        assert!(times.text.contains(text), "{text} in {}", times.text);
    }
    assert_eq!(book.statuses().await, Vec::<String>::new(), "looking changes nothing");

    let form = book.hold(NINE).await;
    assert_eq!(book.statuses().await, ["held"]);
    let page = salon.get(&form).await;
    assert!(page.text.contains("kept for you until <b>08:10</b>"), "{}", page.text);
    let booked = salon.submit(&form, &ADA).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    let manage = target(&form, &booked);
    assert!(manage.starts_with("/m/") && manage.ends_with("?done=booked"), "{manage}");
    let page = salon.get(&manage).await;
    assert!(page.text.contains("You are booked.") && page.text.contains("09:00–10:00"), "{}", page.text);
    assert_eq!(book.statuses().await, ["confirmed"]);
    let note: String = sqlx::query_scalar("SELECT customer_note FROM bookings")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    assert_eq!(note, "By the window,\nplease");
    let mails =
        "notifications WHERE kind = 'confirmation' AND recipient = 'ada@example.org' AND locale = 'en'";
    assert_eq!(salon.api.count(mails).await, 1);
}

#[tokio::test]
async fn pressing_twice_going_back_and_loading_again_book_once() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose(NINE).await;
    let again = salon.get(&path).await;
    assert_eq!(again.field("token"), token, "to load the page again makes no other key");
    let press = || async { salon.submit(&path, &[("token", &token)]).await };
    let (first, second) = tokio::join!(press(), press());
    assert_eq!((first.status.as_u16(), first.header("location")), (303, second.header("location")));
    assert_eq!(book.statuses().await, ["held"]);

    let form = target(&path, &first);
    let send = || async { salon.submit(&form, &ADA).await };
    let (first, second) = tokio::join!(send(), send());
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303), "{} {}", first.text, second.text);
    assert_eq!(first.header("location"), second.header("location"));
    // Back to the form: it leads to the booking, and so does sending it with other words.
    assert_eq!(target(&form, &salon.get(&form).await), target(&form, &first));
    let other = [("name", "Ada"), ("email", "ada@example.net")];
    assert_eq!(target(&form, &salon.submit(&form, &other).await), target(&form, &first));
    // Back to the choice.
    assert_eq!(target(&path, &press().await), form);
    assert_eq!(book.statuses().await, ["confirmed"]);
    assert_eq!(salon.api.count("customers").await, 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_beside_the_field_and_nothing_is_lost() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    let fields = [("name", ""), ("email", "ada"), ("phone", "no \"number\"<i>"), ("note", "<b>hello</b>")];
    let page = salon.submit(&form, &fields).await;
    assert_eq!(page.status, 422);
    for text in [
        "please fill this in",
        "name@example.org",
        "3 to 40 digits",
        "aria-describedby=\"email-fault\"",
        "value=\"no &quot;number&quot;&lt;i&gt;\"",
        "&lt;b&gt;hello",
    ] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    assert_eq!(book.statuses().await, ["held"]);
    assert_eq!(salon.submit(&form, &ADA).await.status, 303);
}

#[tokio::test]
async fn a_time_that_somebody_else_took_is_told_with_three_others_and_what_was_written_is_kept() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose(NINE).await;
    salon.book("09:00").await;
    let answer = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("This time was just taken"), "{}", answer.text);
    assert_eq!(answer.text.matches("<li><a href").count(), 3, "{}", answer.text);

    // A hold that ran out, and then somebody else took the time.
    let form = book.hold(TEN).await;
    salon.api.clock.advance(TimeDelta::minutes(11));
    salon.book("10:00").await;
    let answer = salon.submit(&form, &ADA).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.text.matches("<li><form method=\"post\"").count(), 3, "{}", answer.text);
    let action = answer.between("<li><form method=\"post\" action=\"", "\"").replace("&#x2f;", "/");
    let path = reqwest::Url::parse("http://salon.test").unwrap().join(&form).unwrap().join(&action).unwrap();
    let hidden =
        ["token", "name", "email", "phone", "note"].map(|name| (name, answer.field(name).to_owned()));
    let fields = hidden.each_ref().map(|(name, value)| (*name, value.as_str()));
    let filled = salon.submit(path.path(), &fields).await;
    assert_eq!(filled.status, 200, "{}", filled.text);
    assert!(
        filled.text.contains("value=\"Ada Lovelace\"") && filled.text.contains("By the window"),
        "{}",
        filled.text
    );
    let action =
        filled.text.rsplit_once("<form method=\"post\" action=\"").unwrap().1.split_once('"').unwrap().0;
    let form = path.join(&action.replace("&#x2f;", "/")).unwrap();
    assert_eq!(salon.submit(form.path(), &ADA).await.status, 303);
}

#[tokio::test]
async fn a_hold_that_ran_out_is_booked_all_the_same_if_nobody_took_the_time() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    salon.api.clock.advance(TimeDelta::minutes(11));
    let over = salon.get(&form).await;
    assert_eq!(over.status, 410);
    assert!(over.text.contains("The ten minutes are over"), "{}", over.text);
    let booked = salon.submit(&form, &ADA).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    let twice = salon.submit(&form, &ADA).await;
    assert_eq!(twice.header("location"), booked.header("location"), "sent twice it is booked once");
    assert_eq!(book.statuses().await, ["expired", "confirmed"]);
}

#[tokio::test]
async fn a_hold_is_renewed_once_and_given_back() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    salon.api.clock.advance(TimeDelta::minutes(9));
    let renewed = salon.submit(&format!("{form}/renew"), &[]).await;
    assert_eq!(target(&format!("{form}/renew"), &renewed), form);
    let page = salon.get(&form).await;
    assert!(page.text.contains("<b>08:19</b>") && !page.text.contains("/renew\""), "{}", page.text);
    let twice = salon.submit(&format!("{form}/renew"), &[]).await;
    assert_eq!(twice.status, 410);
    assert!(twice.text.contains("It cannot be kept any longer"), "{}", twice.text);
    let released = salon.submit(&format!("{form}/release"), &[]).await;
    assert_eq!(target(&format!("{form}/release"), &released), book.times());
    assert_eq!(book.statuses().await, ["expired"]);
    assert!(salon.get(&book.times()).await.text.contains(NINE), "the time is free again");
}

#[tokio::test]
async fn a_request_that_staff_have_to_confirm_is_called_one() {
    let salon = salon(1, json!({ "requires_confirmation": true })).await;
    let book = Booking { salon: &salon };
    let (path, _) = book.choose(NINE).await;
    assert!(salon.get(&path).await.text.contains("We confirm this appointment ourselves."));
    let form = book.hold(NINE).await;
    assert!(salon.get(&form).await.text.contains("Request this appointment"));
    let manage = target(&form, &salon.submit(&form, &ADA).await);
    let page = salon.get(&manage).await;
    assert!(
        page.text.contains("We received your request") && !page.text.contains("You are booked"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn over_a_limit_a_page_says_when_and_whom_to_call() {
    let limits = [
        ("PUNCTUAL_LIMITS", "on"),
        ("PUNCTUAL_LIMIT_BOOKING_ADDRESS", "2/1h"),
        ("PUNCTUAL_LIMIT_REGISTER_ADDRESS", "off"),
    ];
    let salon = Salon::open_with(1, json!({}), &limits).await;
    change_business(&salon, json!({ "guests_allowed": true, "phone": "+49 30 1234" })).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    assert_eq!(salon.submit(&form, &ADA).await.status, 303);
    let (path, token) = book.choose(TEN).await;
    let refused = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    for text in ["many bookings from here", "Please try again in 1 hour.", "tel:+49301234"] {
        assert!(refused.text.contains(text), "{text} in {}", refused.text);
    }
    // Bookings made before are still found.
    assert_eq!(salon.submit(&form, &ADA).await.status, 303);
}

#[tokio::test]
async fn the_page_speaks_the_visitors_language_and_keeps_it_on_the_way() {
    let german = json!({ "de": { "name": "Haarschnitt", "description": "Waschen, schneiden, föhnen.", "category": "Haar" } });
    let salon = salon(1, json!({ "category": "Hair", "translations": german })).await;
    let book = Booking { salon: &salon };
    let page = salon.send(salon.request(Method::GET, "/book").header("accept-language", "de-AT")).await;
    assert!(
        page.text.contains("Termin buchen")
            && page.text.contains("Haarschnitt")
            && page.text.contains(">Haar<")
    );
    assert_eq!(page.header("content-language"), "de");
    let times = salon.get(&format!("{}?lang=de", book.times())).await;
    assert!(
        times.text.contains("Vormittag") && times.text.contains("Dienstag, 4. Mai 2027"),
        "{}",
        times.text
    );
    assert!(times.text.contains(&format!("{NINE}?lang=de")), "{}", times.text);
    let form = book.hold(&format!("{NINE}?lang=de")).await;
    assert!(form.ends_with("?lang=de"), "{form}");
    let manage = target(&form, &salon.submit(&form, &ADA).await);
    let page = salon.get(&manage).await;
    assert!(page.text.contains("Ihr Termin ist gebucht."), "{}", page.text);
    let others = "notifications WHERE recipient = 'ada@example.org' AND locale <> 'de'";
    assert_eq!(salon.api.count(others).await, 0);
}

#[tokio::test]
async fn a_visitor_elsewhere_sees_their_own_clock_beside_the_salons() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let times = salon.get(&format!("{}?tz=America/New_York", book.times())).await;
    assert!(times.text.contains("09:00<i>, Your time </i><small>03:00</small>"), "{}", times.text);
    let (path, _) = book.choose(&format!("{NINE}?tz=Asia/Tokyo")).await;
    let page = salon.get(&path).await;
    assert!(page.text.contains("Your time: Tuesday, 4 May 2027, 16:00–17:00"), "{}", page.text);
    let same = salon.get(&format!("{}?tz=Europe/Paris", book.times())).await;
    assert!(!same.text.contains("<small>09:00"), "{}", same.text);
}

#[tokio::test]
async fn classes_show_the_seats_that_are_left() {
    let salon = salon(1, json!({ "capacity": 3 })).await;
    let book = Booking { salon: &salon };
    salon.book("09:00").await;
    let page = salon.get(&book.times()).await;
    assert!(
        page.text.contains("09:00<i>, </i><small>2 seats</small>")
            && page.text.contains("10:00<i>, </i><small>3 seats</small>")
    );
}

#[tokio::test]
async fn a_party_takes_several_seats_of_a_class_in_one_go() {
    let salon = salon(1, json!({ "capacity": 3 })).await;
    let book = Booking { salon: &salon };
    salon.book("09:00").await;
    let page = salon.get(&book.times()).await;
    assert!(page.text.contains("For how many people?") && page.text.contains("max=\"3\""), "{}", page.text);
    let page = salon.get(&format!("{}?seats=3", book.times())).await;
    assert!(page.text.contains("value=\"3\"") && page.text.contains("10:00<i>, </i><small>3 seats"));
    let nine = page.text.matches("09:00<i>, </i>").count();
    assert_eq!(nine, 1, "only two are left on Tuesday, not on Wednesday: {}", page.text);
    assert!(page.text.contains("20270504T0800Z?seats=3"), "links carry the number on: {}", page.text);
    let (path, token) = book.choose(&format!("{TEN}?seats=3")).await;
    let page = salon.get(&path).await;
    assert!(page.text.contains("3 × Haircut") && page.text.contains("€135.00"), "{}", page.text);
    let held = salon.submit(&path, &[("token", &token)]).await;
    let form = target(&path, &held);
    let booked = salon.submit(&form, &ADA).await;
    let manage = target(&form, &booked);
    let page = salon.get(&manage).await;
    assert!(page.text.contains("3 × Haircut") && page.text.contains("€135.00"), "{}", page.text);
    let seats: Vec<i32> = sqlx::query_scalar("SELECT seats FROM bookings ORDER BY seats")
        .fetch_all(salon.api.database.pool())
        .await
        .unwrap();
    assert_eq!(seats, [1, 3]);
    let desk = format!("/desk/class/{}/{}/{TEN}", salon.service, salon.staff[0]);
    let class = super::desk::Visitor::of(&salon, &salon.admin).await.get(&desk).await;
    assert!(class.text.contains("3/3") && class.text.contains("3 × Ada Lovelace"), "{}", class.text);
}

#[tokio::test]
async fn a_week_without_times_leads_to_the_next_free_one() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let closed = json!({ "reason": "" });
    for date in ["2027-05-04", "2027-05-05"] {
        let put =
            salon.api.write(Method::PUT, &format!("/v1/closures/{date}"), &salon.admin, Some(&closed)).await;
        assert!(put.status.is_success(), "{:?}", put.body);
    }
    let page = salon.get(&book.times()).await;
    assert!(page.text.contains("There is no free time on these days."), "{}", page.text);
    assert!(page.text.contains("anyone?from=2027-05-11") && page.text.contains("Tuesday, 11 May 2027"));
}

#[tokio::test]
async fn tokens_that_are_not_ours_or_for_something_else_book_nothing() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose(NINE).await;
    let form = book.hold(TEN).await;
    let hold_token = form.trim_start_matches("/h/");
    for bad in ["", "x", &token[..token.len() - 1], hold_token] {
        let page = salon.submit(&path, &[("token", bad)]).await;
        assert_eq!(page.status, 410, "{bad}: {}", page.text);
    }
    for path in [format!("/h/{token}"), "/h/x".to_owned(), format!("/m/{hold_token}")] {
        assert_eq!(salon.get(&path).await.status, 404, "{path}");
        assert_eq!(salon.submit(&path, &ADA).await.status.as_u16() / 100, 4, "{path}");
    }
    let elsewhere = salon.request(Method::POST, &form).header("sec-fetch-site", "cross-site").form(&ADA);
    assert_eq!(salon.send(elsewhere).await.status, 403);
    // A form that has lain open for a day.
    salon.api.clock.advance(TimeDelta::hours(25));
    let old = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(old.status, 410);
    assert!(old.text.contains("This form has expired"), "{}", old.text);
    assert_eq!(salon.api.count("bookings WHERE status <> 'held' AND status <> 'expired'").await, 0);
}

#[tokio::test]
async fn odd_addresses_are_told_as_pages() {
    let salon = salon(1, json!({})).await;
    let service = &salon.service;
    for path in [
        "/book/x".to_owned(),
        format!("/book/{service}/x"),
        format!("/book/{service}/{service}"),
        format!("/book/{service}/anyone/x"),
        format!("/book/{service}/anyone/{NINE}%00"),
        "/book/00000000-0000-0000-0000-000000000000/anyone".to_owned(),
    ] {
        let page = salon.get(&path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.text.contains("There is nothing here") && page.text.contains("tel:"),
            "{path}: {}",
            page.text
        );
    }
    let times = format!("/book/{service}/anyone");
    for query in [
        "from=0000-00-00",
        "from=99999-01-01",
        "from=2027-05-04T00:00",
        "tz=Mars/Olympus",
        "lang=xx",
        "embed=x",
        "%zz=%ff",
        "from=1970-01-01",
        "from=9998-12-31",
    ] {
        let page = salon.get(&format!("{times}?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
    }
    let past = Booking { salon: &salon }.choose("20200504T0700Z").await;
    let page = salon.submit(&past.0, &[("token", &past.1)]).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("cannot be booked any more"), "{}", page.text);
}
