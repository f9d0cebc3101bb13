use poem_openapi::Tags;

/// How the document groups operations.
#[derive(Tags)]
pub enum Tag {
    /// Accounts and sessions.
    #[oai(rename = "auth")]
    Auth,
    /// The account that asks.
    #[oai(rename = "me")]
    Me,
    /// The business, what it offers, who performs it and when.
    #[oai(rename = "catalogue")]
    Catalogue,
    /// Free times.
    #[oai(rename = "slots")]
    Slots,
    /// Those who book, for staff.
    #[oai(rename = "customers")]
    Customers,
    /// Bookings.
    #[oai(rename = "bookings")]
    Bookings,
    /// What changed, for programs: a feed to read and webhooks that are delivered.
    #[oai(rename = "events")]
    Events,
    /// The queue behind the mails, for administrators.
    #[oai(rename = "ops")]
    Ops,
}
