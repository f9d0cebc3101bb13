//! Views of core's values.

mod account;
mod api_keys;
mod booking;
pub mod calendar_file;
mod catalogue;
mod csv_file;
mod customer;
mod described;
mod display;
mod events;
mod export;
mod exports;
mod hours;
pub mod ops;
mod order;
mod proposal;
mod report;
mod resources;
mod sandbox;
mod series;
mod slots;
mod storefront;
mod visits;
mod webhook_catalogue;
mod webhooks;

pub use account::{Account, Language, Role, StaffRole};
pub use api_keys::{ApiKey, ApiKeyScope, ApiKeyWithSecret, ApiKeys};
pub use booking::{
    Booking, BookingEvent, BookingEvents, BookingPage, Mail, MailKind, MailState, Mails, Status,
};
pub use catalogue::{Business, ReminderKind, ReminderRule, Service, Staff, StaffTerms};
pub use csv_file::CsvFile;
pub use customer::Customer;
pub use display::Translations;
pub use events::{EventFeed, EventType, types_of};
pub use export::PersonalData;
pub use exports::{bookings_file, customers_file};
pub use hours::{Closure, DateOverride, DayWindow, StrandedBooking, StrandedBookings, TimeOff, Window};
pub use order::ListOrder;
pub use proposal::Proposal;
pub use report::MonthReport;
pub use resources::{Outage, Resource, ServiceNeeds};
pub use sandbox::SandboxClock;
pub use series::{Interval, Series, SeriesChange, SeriesMade};
pub use slots::{ListPage, Slots, SlotsPage};
pub use storefront::StorefrontPages;
pub use visits::{Visit, VisitSlots};
pub use webhook_catalogue::webhook_catalogue;
pub use webhooks::{
    Delivery, DeliveryPage, DeliveryStatus, WebhookEndpoint, WebhookEndpoints, WebhookSecret,
    WebhookWithSecret,
};
