//! Anybody can book with another person's address, so the mail must not carry texts of whoever books.

use punctual_core::types::PersonName;

use super::test_worker::{TestWorker, sent, text};
use crate::core::salon::tuesday;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_looks_like_a_message_is_not_repeated_to_an_address_that_nobody_has_proven() {
    for (name, proven, greeted) in [
        ("Zoë Łukasz", false, true),
        ("WIN 500 EUR at evil.example", false, false),
        ("WIN 500 EUR at evil.example", true, true),
    ] {
        assert!(PersonName::parse(name).is_ok());
        let post = TestWorker::open().await;
        let verified = proven.then(|| post.now());
        let renamed = sqlx::query("UPDATE users SET name = $1, email_verified_at = $2 WHERE id = $3")
            .bind(name)
            .bind(verified)
            .bind(post.customer.user_id());
        assert_eq!(renamed.execute(&post.salon.core.pool).await.unwrap().rows_affected(), 1);
        let booking = post.book(tuesday("10:00")).await;
        post.wait_for_ledger(&booking, &[sent("confirmation")]).await;
        let mail = post.close().await.journal().remove(0);
        let body = text(&mail);
        let raw = String::from_utf8(mail.bytes).unwrap();
        assert_eq!(body.contains(name), greeted, "{body}");
        assert!(body.contains("your appointment is confirmed"), "{body}");
        assert!(greeted || !raw.contains("500 EUR"), "neither in a header nor in the calendar entry: {raw}");
    }
}
