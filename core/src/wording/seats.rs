//! Several seats of a class.

/// What is booked, with the number of seats where there are several: `3 × Yoga`. The same in every language.
#[must_use]
pub fn with_seats(service: &str, seats: i32) -> String {
    if seats > 1 { format!("{seats} × {service}") } else { service.to_owned() }
}
