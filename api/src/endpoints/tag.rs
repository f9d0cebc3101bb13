use poem_openapi::Tags;

/// How the document groups operations.
#[derive(Tags)]
pub enum Tag {
    /// Accounts and sessions.
    #[oai(rename = "auth")]
    Auth,
    /// Your account.
    #[oai(rename = "me")]
    Me,
    /// The business, its services, staff and hours.
    #[oai(rename = "catalogue")]
    Catalogue,
    /// Free times.
    #[oai(rename = "slots")]
    Slots,
    /// Customers, for staff.
    #[oai(rename = "customers")]
    Customers,
    /// Bookings.
    #[oai(rename = "bookings")]
    Bookings,
    /// Events for programs: the feed and webhooks.
    #[oai(rename = "events")]
    Events,
    /// The test clock of a sandbox, for developers.
    #[oai(rename = "sandbox")]
    Sandbox,
    /// The queue behind the mails, for administrators.
    #[oai(rename = "ops")]
    Ops,
}
