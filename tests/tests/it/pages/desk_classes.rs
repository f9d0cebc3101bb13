//! Classes, later hours and closures at the desk.

use serde_json::json;

use super::desk::Visitor;
use super::test_booking_page::{change_business, target};
use super::test_pages::Salon;

#[tokio::test]
async fn a_weekly_class_is_planned_shown_on_the_board_moved_and_called_off_as_a_whole() {
    let salon = Salon::open(1, json!({ "capacity": 4 })).await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!("/desk/services/{}/timetable", salon.service);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("Add a weekly time"), "{}", page.text);
    let rev = page.field("rev").to_owned();
    let new = [
        ("rev", &*rev),
        ("weekday", "1"),
        ("start", "10:00"),
        ("staff", &*salon.staff[0]),
        ("valid_from", "2027-05-04"),
        ("valid_until", ""),
    ];
    let made = visitor.send(&path, &new).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let stale = visitor.send(&path, &new).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("Tuesday 10:00") && page.text.contains("from 2027-05-04"), "{}", page.text);
    let board = visitor.get("/desk?date=2027-05-11").await;
    assert!(board.text.contains("0&#x2f;4"), "a class without bookings is on the board: {}", board.text);

    salon.book("10:00").await;
    let class = format!("/desk/class/{}/{}/20270504T0800Z", salon.service, salon.staff[0]);
    let page = visitor.get(&class).await;
    assert!(page.text.contains("1/4") && page.text.contains("Move the whole class"), "{}", page.text);
    let wanted = |time| {
        [
            ("do", "move"),
            ("message", "Later"),
            ("date", "2027-05-04"),
            ("time", time),
            ("staff", &*salon.staff[0]),
        ]
    };
    let wrong = visitor.send(&class, &wanted("25:00")).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert!(wrong.text.contains("Later"), "{}", wrong.text);
    let moved = visitor.send(&class, &wanted("11:00")).await;
    let there = target(&class, &moved);
    assert!(there.contains("20270504T0900Z"), "{there}");
    let page = visitor.get(&there).await;
    assert!(page.text.contains("The class is moved.") && page.text.contains("11:00"), "{}", page.text);
    let cancelled = visitor.send(&there, &[("do", "cancel"), ("message", "Ill")]).await;
    let day = visitor.get(&target(&there, &cancelled)).await;
    assert!(day.text.contains("The class is called off."), "{}", day.text);
    assert_eq!(salon.api.count("bookings WHERE status = 'cancelled'").await, 1);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("called off"), "{}", page.text);
    let german = visitor.get(&format!("{path}?lang=de")).await;
    assert!(german.text.contains("Stundenplan") && german.text.contains("abgesagt"), "{}", german.text);
}

#[tokio::test]
async fn hours_from_a_date_on_are_set_and_removed_at_the_desk() {
    let salon = Salon::open(1, json!({})).await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!("/desk/hours/{}", salon.staff[0]);
    let page = visitor.get(&format!("{path}?from=2027-06-01")).await;
    assert!(page.text.contains("These hours apply from Tuesday, 1 June 2027 on."), "{}", page.text);
    assert_eq!(page.field("from"), "2027-06-01");
    let fields =
        [("rev", page.field("rev")), ("from", "2027-06-01"), ("from-1-0", "14:00"), ("to-1-0", "18:00")];
    let saved = visitor.send(&path, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("from Tuesday, 1 June 2027") && page.text.contains("value=\"09:00\""));
    let later = visitor.get(&format!("{path}?from=2027-06-01")).await;
    assert!(later.text.contains("value=\"14:00\""), "{}", later.text);
    let removed = visitor.send(&path, &[("rev", page.field("rev")), ("remove", "2027-06-01")]).await;
    assert_eq!(removed.status, 303, "{}", removed.text);
    assert_eq!(salon.api.count("later_weeks").await, 0);
}

#[tokio::test]
async fn a_range_a_part_of_a_day_and_public_holidays_are_closed_at_the_desk() {
    let salon = Salon::open(1, json!({})).await;
    change_business(&salon, json!({ "country": "DE" })).await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let page = visitor.get("/desk/closures?region=DE-BE&year=2028").await;
    assert!(page.text.contains("International Women&#x27;s Day"), "{}", page.text);
    assert_eq!(page.field("region"), "DE-BE");
    let chosen = [("region", "DE-BE"), ("holiday", "2028-03-08"), ("holiday", "2028-05-01")];
    assert_eq!(visitor.send("/desk/closures", &chosen).await.status, 303);
    let range = [("date", "2027-05-10"), ("last", "2027-05-12"), ("reason", "Trip")];
    assert_eq!(visitor.send("/desk/closures", &range).await.status, 303);
    let afternoon = [("date", "2027-05-04"), ("start", "10:00"), ("end", "")];
    assert_eq!(visitor.send("/desk/closures", &afternoon).await.status, 303);
    let page = visitor.get("/desk/closures").await;
    for seen in ["Tuesday, 4 May 2027</b> 10:00–24:00", "Wednesday, 12 May 2027", "Trip", "Labour Day"] {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }
    assert_eq!(salon.api.count("closures").await, 6);
    let reversed = [("date", "2027-05-10"), ("last", "2027-05-09")];
    let refused = visitor.send("/desk/closures", &reversed).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
}
