//! Lists and their visibility.

use punctual_core::Error;
use punctual_core::bookings::{self, ListBookings};
use punctual_core::types::{Page, PageSize};

use super::salon::{Salon, tuesday};

#[tokio::test]
async fn a_list_is_read_page_by_page_and_holds_only_what_one_may_see() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    // Two of them at the same start.
    for (time, staff) in [("11:00", 0), ("09:00", 0), ("09:00", 1), ("14:00", 0), ("15:00", 1)] {
        salon.book(&one, service, Some(salon.staff[staff]), tuesday(time)).await.unwrap();
    }
    let foreign = salon.book(&other, service, Some(salon.staff[1]), tuesday("12:00")).await.unwrap();

    let mut which = ListBookings { limit: PageSize::new(2).unwrap(), ..ListBookings::default() };
    let mut seen = Vec::new();
    loop {
        let Page { data, next_cursor } = bookings::list(&salon.core, &one, &which).await.unwrap();
        assert!(data.len() <= 2);
        seen.extend(data.into_iter().map(|booking| (booking.start.to_utc(), booking.id)));
        which.cursor = next_cursor;
        if which.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
    assert!(seen.iter().all(|(_, id)| *id != foreign.id));

    let all = bookings::list(&salon.core, &salon.admin, &ListBookings::default()).await.unwrap();
    assert_eq!((all.data.len(), all.next_cursor), (6, None));
    let of_day = ListBookings {
        from: Some(tuesday("11:00")),
        to: Some(tuesday("15:00")),
        staff_id: Some(salon.staff[0]),
        ..ListBookings::default()
    };
    let of_day = bookings::list(&salon.core, &salon.admin, &of_day).await.unwrap();
    let starts: Vec<_> = of_day.data.iter().map(|booking| booking.start.to_utc()).collect();
    assert_eq!(starts, [tuesday("11:00"), tuesday("14:00")]);

    let hidden = bookings::get(&salon.core, &one, foreign.id).await;
    assert!(matches!(hidden, Err(Error::NotFound("booking"))), "{hidden:?}");
    let own = bookings::get(&salon.core, &other, foreign.id).await.unwrap();
    assert_eq!(own.staff_note, None, "what staff wrote is for staff");
}
