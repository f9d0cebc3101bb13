//! Stories of people who open links from their mails, over HTTP and in a browser.

mod book;
mod browser;
mod decide;
mod feed;
mod manage;
mod ops;
mod reminders;
mod test_pages;
