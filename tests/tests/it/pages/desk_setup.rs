//! Setting up the business at the desk: from an empty database, and what two administrators do at once.

use punctual_core::links::Purpose;
use serde_json::json;

use super::desk::{TUESDAY, Visitor, salon};
use super::test_booking_page::target;
use super::test_pages::Salon;
use crate::api::test_api::PASSWORD;

async fn scalar(salon: &Salon, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn an_empty_database_leads_the_administrator_through_business_team_hours_and_services() {
    let salon = Salon::open(0, json!({ "active": false })).await;
    for table in ["TRUNCATE services CASCADE", "TRUNCATE settings"] {
        sqlx::query(table).execute(salon.api.database.pool()).await.unwrap();
    }
    let visitor = Visitor::of(&salon, &salon.admin).await;
    assert_eq!(target("/desk", &visitor.get("/desk").await), "/desk/business");
    let first = visitor.get("/desk/business").await;
    assert!(first.text.contains("Step 1 of 3"), "{}", first.text);
    let token = first.field("form_token").to_owned();
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let all = [&[("form_token", token.as_str())][..], fields].concat();
        visitor.submit(path, &all).await
    };
    let business = [
        ("name", "Salon Morgenrot"),
        ("address", "Sonnenallee 12\r\n12047 Berlin"),
        ("phone", "+49 30 1"),
        ("sender", "a@example.org"),
        ("reply_to", "a@example.org"),
        ("notify_address", ""),
        ("currency", "eur"),
        ("zone", "Europe/Berlin"),
        ("locale", "en"),
        ("guests", "1"),
        ("accent_colour", ""),
    ];
    let mut bad = business;
    bad[7].1 = "Berlin";
    let refused = send("/desk/business", &bad).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("such as Europe&#x2f;Berlin") || refused.text.contains("such as Europe/Berlin"),
        "{}",
        refused.text
    );
    assert!(
        refused.text.contains("Salon Morgenrot") && refused.text.contains("12047 Berlin"),
        "nothing is lost"
    );
    let made = send("/desk/business", &business).await;
    assert_eq!(target("/desk/business", &made), "/desk/team/new", "{}", made.text);

    let page = visitor.get("/desk/team/new").await;
    let person =
        [("token", page.field("token")), ("name", "Maria"), ("email", "maria@example.org"), ("about", "")];
    let added = send("/desk/team/new", &person).await;
    let hours = target("/desk/team/new", &added);
    assert!(hours.starts_with("/desk/hours/"), "{hours}");
    let week = visitor.get(&hours).await;
    assert!(week.text.contains("value=\"09:00\"") && week.text.contains("usual week"), "{}", week.text);
    let windows = [
        ("rev", week.field("rev")),
        ("from-1-0", "09:00"),
        ("to-1-0", "12:00"),
        ("from-1-1", "13:00"),
        ("to-1-1", "18:00"),
    ];
    let mut half = windows;
    half[2].1 = "";
    let refused = send(&hours, &half).await;
    assert!(refused.status == 422 && refused.text.contains("both times are needed"), "{}", refused.text);
    let saved = send(&hours, &windows).await;
    assert_eq!(target(&hours, &saved), "/desk/services/new", "{}", saved.text);

    let page = visitor.get("/desk/services/new").await;
    let staff = page.between("name=\"staff\" value=\"", "\"").to_owned();
    let service = |price| {
        vec![
            ("token", page.field("token")),
            ("name", "Haircut"),
            ("description", ""),
            ("category", ""),
            ("duration", "45"),
            ("price", price),
            ("capacity", "1"),
            ("step", "15"),
            ("buffer_before", "0"),
            ("buffer_after", "0"),
            ("notice", "0"),
            ("horizon", "60"),
            ("cancel_notice", "24"),
            ("active", "1"),
            ("reminder", "1"),
            ("staff", staff.as_str()),
        ]
    };
    let refused = send("/desk/services/new", &service("45.001")).await;
    assert!(refused.status == 422 && refused.text.contains("such as 45 or 45.50"), "{}", refused.text);
    let made = send("/desk/services/new", &service("45,50")).await;
    assert_eq!(target("/desk/services/new", &made), "/desk/services?done=opened", "{}", made.text);
    let list = visitor.get("/desk/services?done=opened").await;
    for seen in ["customers can book now", "See what customers see", "Open your calendar"] {
        assert!(list.text.contains(seen), "{seen} in {}", list.text);
    }
    assert_eq!(scalar(&salon, "SELECT price_minor::text FROM services").await, "4550");
    let free = salon.get("/book?lang=en").await;
    assert!(
        free.text.contains("Haircut") && free.text.contains("€45.50"),
        "customers can book: {}",
        free.text
    );
    let day = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    assert!(day.text.contains("09:00–12:00 free") && day.text.contains("13:00–18:00 free"), "{}", day.text);

    let member = hours.replace("hours", "team");
    let invited = send(&member, &[("invite", "1")]).await;
    assert_eq!(target(&member, &invited), format!("{member}?done=invited"), "{}", invited.text);
    let mail = scalar(&salon, "SELECT id::text FROM notifications WHERE kind = 'set_password'").await;
    let link = salon.link(Purpose::SetPassword, &mail, 0);
    let chosen = salon.submit(&link, &[("password", PASSWORD)]).await;
    assert_eq!(target(&link, &chosen), "/desk", "{}", chosen.text);
    let cookie = chosen.header("set-cookie").split(';').next().unwrap().to_owned();
    let maria = Visitor { salon: &salon, cookie };
    let desk = maria.get(&format!("/desk?date={TUESDAY}")).await;
    assert!(desk.status == 200 && desk.text.contains("column current"), "{}", desk.text);
    for path in ["/desk/business", "/desk/services", "/desk/closures", "/desk/keys", "/desk/team/new"] {
        assert_eq!(maria.get(path).await.status, 403, "{path} is for administrators");
    }
    for path in ["/desk/settings", "/desk/team", "/desk/customers", hours.as_str()] {
        assert_eq!(maria.get(path).await.status, 200, "{path} is for staff");
    }
}

#[tokio::test]
async fn of_two_who_change_settings_the_second_is_told_and_loses_nothing() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let service = format!("/desk/services/{}", salon.service);
    let hours = format!("/desk/hours/{}", salon.staff[0]);
    let member = format!("/desk/team/{}", salon.staff[0]);
    let week = visitor.get(&hours).await;
    let windows = [("rev", week.field("rev")), ("from-1-0", "09:00"), ("to-1-0", "12:00")];
    assert_eq!(visitor.send(&hours, &windows).await.status, 303);
    let stale = visitor.send(&hours, &[windows[0], ("from-1-0", "10:00"), ("to-1-0", "11:00")]).await;
    assert!(
        stale.status == 412 && stale.text.contains("Somebody else") && stale.text.contains("value=\"10:00\""),
        "{}",
        stale.text
    );

    let page = visitor.get(&member).await;
    let rev = page.field("rev").to_owned();
    let fields =
        |name| [("rev", rev.as_str()), ("name", name), ("email", ""), ("about", ""), ("active", "1")];
    assert_eq!(visitor.send(&member, &fields("Maria One")).await.status, 303);
    let stale = visitor.send(&member, &fields("Maria Uno")).await;
    assert!(stale.status == 412 && stale.text.contains("Maria Uno"), "{}", stale.text);

    let page = visitor.get(&service).await;
    assert!(page.text.contains("value=\"45.00\"") && page.text.contains("value=\"60\""), "{}", page.text);
    let page = visitor.get("/desk/business").await;
    assert!(page.text.contains("Europe&#x2f;Berlin") || page.text.contains("Europe/Berlin"), "{}", page.text);

    let closed = visitor.send("/desk/closures", &[("date", TUESDAY), ("reason", "Works outing")]).await;
    assert_eq!(target("/desk/closures", &closed), "/desk/closures?done=saved");
    let list = visitor.get("/desk/closures").await;
    assert!(list.text.contains("Tuesday, 4 May 2027") && list.text.contains("Works outing"), "{}", list.text);
    assert_eq!(visitor.send("/desk/closures", &[("remove", TUESDAY)]).await.status, 303);
    assert_eq!(salon.api.count("closures").await, 0);
}

#[tokio::test]
async fn a_customer_is_found_by_words_in_any_order_with_all_visits() {
    let salon = salon().await;
    let id = salon.book("09:00").await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let list = visitor.get("/desk/customers?q=LOVELACE+ada").await;
    let href = list.between("<li><a href=\"..", "\"").replace("&#x2f;", "/");
    let path = if href.starts_with("/desk") { href } else { format!("/desk{href}") };
    let file = visitor.get(&path).await;
    for seen in ["Ada Lovelace", "Tuesday, 4 May, 09:00", "Haircut, Maria 1", &id, "New appointment"] {
        assert!(file.text.contains(seen), "{seen} in {}", file.text);
    }
    assert!(visitor.get("/desk/customers?q=nobody").await.text.contains("No matching customer"));
}

#[tokio::test]
async fn changes_are_streamed_to_the_people_of_the_business_within_two_seconds() {
    let salon = salon().await;
    assert_eq!(salon.get("/desk/changes").await.status, 403);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let mut stream = salon
        .request(reqwest::Method::GET, "/desk/changes")
        .header("cookie", &visitor.cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    // The second piece shows that the connection is open: the watch has begun.
    for _ in 0..2 {
        stream.chunk().await.unwrap().unwrap();
    }
    salon.book("09:00").await;
    let begun = std::time::Instant::now();
    loop {
        let piece = stream.chunk().await.unwrap().expect("the stream goes on");
        if piece.starts_with(b"data: changed") {
            break;
        }
    }
    println!("a change was told after {} ms", begun.elapsed().as_millis());
    assert!(begun.elapsed().as_secs() < 10, "a machine with other work is given time");
}
