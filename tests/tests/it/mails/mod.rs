//! Mails on their way: a worker in process, a scripted mail server, and the exact ledger afterwards.

mod bookings_to_confirm;
mod calendars;
mod circuit;
mod deliveries;
mod doubts;
mod encrypted;
mod killed;
mod names;
mod odd_replies;
mod one_recipient;
mod outages;
pub mod python;
mod refusals;
mod reminders;
mod several;
mod signed;
mod small_relay;
pub mod test_worker;
mod to_staff;
mod two_workers;
mod visits;
