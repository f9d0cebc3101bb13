//! The domain of Punctual and all its SQL: no HTTP, no SMTP, no Redis.
