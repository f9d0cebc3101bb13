//! Stories of people who open links from their mails, over HTTP and in a browser.

mod manage;
mod world;
