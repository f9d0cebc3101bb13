//! The numbers of a month and the files of bookings and customers at the desk.

use super::desk::{Visitor, salon};

#[tokio::test]
async fn the_numbers_of_a_month_and_the_files_are_linked_from_the_desk() {
    let salon = salon().await;
    salon.book("09:00").await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let settings = visitor.get("/desk/settings").await;
    assert!(settings.text.contains("Numbers of a month"), "{}", settings.text);
    let page = visitor.get("/desk/numbers?month=2027-05").await;
    for seen in ["May 2027", "Maria 1", "Appointments: <b>1</b>", "Together", "month=2027-06", "1:00 &#x2f; "]
    {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }
    let german = visitor.get("/desk/numbers?month=2027-03&lang=de").await;
    assert!(german.text.contains("März 2027") && german.text.contains("Zusammen"), "{}", german.text);
    assert_eq!(visitor.get("/desk/numbers?month=never").await.status, 200);
    let may = visitor.get("/desk/bookings.csv?month=2027-05").await;
    assert!(may.header("content-type").starts_with("text/csv"), "{}", may.text);
    assert!(may.header("content-disposition").contains("bookings.csv"));
    assert_eq!(may.text.lines().count(), 2, "{}", may.text);
    assert!(may.text.contains("2027-05-04T09:00:00+02:00"), "{}", may.text);
    assert_eq!(visitor.get("/desk/bookings.csv?month=2027-06").await.text.lines().count(), 1);
    let customers = visitor.get("/desk/customers").await;
    assert!(customers.text.contains("customers.csv"), "{}", customers.text);
    let file = visitor.get("/desk/customers.csv").await;
    assert!(file.text.contains("Ada Lovelace"), "{}", file.text);
}
