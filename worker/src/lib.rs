//! The worker of Punctual: sends its mails.

pub mod mails;
pub mod smtp;
