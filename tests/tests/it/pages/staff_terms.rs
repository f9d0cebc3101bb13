//! Minutes and price with single members of staff, at the desk and on the booking page.

use super::desk::{Visitor, salon};

#[tokio::test]
async fn minutes_and_price_by_person_are_set_at_the_desk_and_shown_on_the_booking_page() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!("/desk/services/{}/staff-terms", salon.service);
    let page = visitor.get(&path).await;
    let rev = page.field("rev").to_owned();
    let (minutes, price) = (format!("minutes-{}", salon.staff[0]), format!("price-{}", salon.staff[0]));
    let bad = visitor.send(&path, &[("rev", &rev), (&minutes, "3"), (&price, "x")]).await;
    assert_eq!(bad.status, 422, "{}", bad.text);
    assert!(bad.text.contains("value=\"3\""), "nothing is lost: {}", bad.text);
    let saved = visitor.send(&path, &[("rev", &rev), (&minutes, "90"), (&price, "70.50")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stale = visitor.send(&path, &[("rev", &rev), (&minutes, "30")]).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("value=\"90\"") && page.text.contains("value=\"70.50\""), "{}", page.text);
    let with = salon.get(&format!("/book/{}/{}", salon.service, salon.staff[0])).await;
    assert!(with.text.contains("70.50"), "{}", with.text);
    let anyone = salon.get(&format!("/book/{}/anyone", salon.service)).await;
    assert!(!anyone.text.contains("70.50") && anyone.text.contains("45.00"), "{}", anyone.text);
}
