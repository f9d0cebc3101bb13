//! Mails on their way: a worker in process, a mail server that does as it is told, and the exact ledger afterwards.

mod bookings_to_confirm;
mod deliveries;
mod doubts;
mod killed;
mod outages;
pub mod post;
mod refusals;
mod to_staff;
