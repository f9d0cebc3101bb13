//! Postgres goes away and comes back.

use super::salon::{Salon, tuesday};

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_after_all_connections_were_cut_is_made_at_once() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    // Several idle connections, all of which are then cut.
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(salon.core.pool.acquire().await.unwrap());
    }
    let cutter = open.pop().unwrap();
    drop(open);
    let mut cutter = cutter.detach();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut cutter)
    .await
    .unwrap();
    salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
}
