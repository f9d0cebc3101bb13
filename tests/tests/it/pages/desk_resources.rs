//! Rooms and equipment at the desk.

use super::desk::{Visitor, salon};
use super::test_booking_page::target;

#[tokio::test]
async fn a_room_is_added_needed_by_a_service_shown_with_a_booking_and_put_out_of_service() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let page = visitor.get("/desk/resources").await;
    let token = page.field("token").to_owned();
    let bad =
        visitor.send("/desk/resources", &[("token", token.as_str()), ("name", ""), ("kind", "Room")]).await;
    assert_eq!(bad.status, 422);
    let fields = [("token", token.as_str()), ("name", "Room <1>"), ("kind", "Room")];
    let made = visitor.send("/desk/resources", &fields).await;
    let list = visitor.get(&target("/desk/resources", &made)).await;
    assert!(list.text.contains("Room &lt;1&gt;") && list.text.contains("Saved."), "{}", list.text);
    let id = list.between("desk&#x2f;resources&#x2f;", "\"").to_owned();

    let needs = format!("/desk/services/{}/resources", salon.service);
    let page = visitor.get(&needs).await;
    let rev = page.field("rev").to_owned();
    let saved = visitor.send(&needs, &[("rev", rev.as_str()), ("any", "Room")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stale = visitor.send(&needs, &[("rev", rev.as_str())]).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    assert!(visitor.get(&needs).await.text.contains("name=\"any\" value=\"Room\" checked"));

    let booking = salon.book("09:00").await;
    let shown = visitor.get(&format!("/desk/b/{booking}")).await;
    assert!(shown.text.contains("Room &lt;1&gt;"), "{}", shown.text);
    let path = format!("/desk/resources/{id}");
    let first = visitor.get(&path).await.field("token").to_owned();
    let mut outage = [
        ("do", "outage"),
        ("token", first.as_str()),
        ("date", "2027-05-04"),
        ("time", "00:00"),
        ("until_date", "2027-05-05"),
        ("until_time", "00:00"),
        ("reason", "Painting"),
    ];
    let mut backwards = outage;
    backwards[4].1 = "2027-05-03";
    let refused = visitor.send(&path, &backwards).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Painting"), "{}", refused.text);
    let token = refused.field("token").to_owned();
    outage[1].1 = &token;
    for _ in 0..2 {
        let out = visitor.send(&path, &outage).await;
        assert_eq!(target(&path, &out), "/desk/stranded");
    }
    let stranded = visitor.get("/desk/stranded").await;
    assert!(stranded.text.contains("its room or equipment is not available"), "{}", stranded.text);
    let page = visitor.get(&path).await;
    assert_eq!(page.text.matches("Painting").count(), 1, "sent twice, stored once: {}", page.text);
    // Back to the same form for another one.
    let mut another = outage;
    (another[2].1, another[4].1, another[6].1) = ("2027-06-01", "2027-06-02", "Another coat");
    assert_eq!(visitor.send(&path, &another).await.status, 303);
    assert!(visitor.get(&path).await.text.contains("Another coat"));
    let outage = page.between("name=\"remove\" value=\"", "\"").to_owned();
    let back = visitor.send(&path, &[("remove", outage.as_str())]).await;
    assert_eq!(back.status, 303);
    let rev = page.field("rev").to_owned();
    let off = visitor.send(&path, &[("rev", rev.as_str()), ("name", "Room 1"), ("kind", "Room")]).await;
    assert_eq!(target(&path, &off), "/desk/stranded", "it is not used any more");
    let german = visitor.get(&format!("{path}?lang=de")).await;
    assert!(german.text.contains("Außer Betrieb"), "{}", german.text);
}
