//! The statements of slot lists, booking lists and a customer's past keep their plans with many bookings.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use crate::core::salon::{Salon, tuesday};
use crate::queue::plans::{explain, statement};

/// So many bookings of two hundred members of staff, twelve a day for each, the last of them a month ahead.
async fn fill(pool: &PgPool, service: uuid::Uuid, count: i32) {
    sqlx::raw_sql(
        "INSERT INTO staff (id, name, created_at, updated_at)
         SELECT md5('staff' || n)::uuid, 'Staff ' || n, '2027-05-01', '2027-05-01' FROM generate_series(1, 180) AS n;
         INSERT INTO customers (id, origin, email, name, created_at, updated_at)
         SELECT md5('customer' || n)::uuid, 'guest', n || '@example.org', 'Customer ' || n, '2027-05-01', '2027-05-01'
         FROM generate_series(1, 5000) AS n",
    )
    .execute(pool)
    .await
    .unwrap();
    let bookings = "
        INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                              local_start, service_name, duration_min, price_minor, currency, ics_uid, created_at, updated_at)
        SELECT id, $1, staff_id, md5('customer' || (1 + n % 5000))::uuid,
               CASE WHEN start < $2 THEN 'completed' ELSE 'confirmed' END::booking_status,
               tstzrange(start, start + interval '30 minutes'), tstzrange(start, start + interval '30 minutes'), id, 1,
               'Europe/Berlin', start AT TIME ZONE 'Europe/Berlin', 'Haircut', 30, 0, 'EUR', id::text, $2, $2
        FROM (SELECT n, staff.id AS staff_id, md5('booking' || n)::uuid AS id,
                     $2::timestamptz + interval '31 days' - (n / 2400) * interval '1 day'
                     + (n / 200 % 12) * interval '45 minutes' AS start
              FROM generate_series(1, $3) AS n
              JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM staff) AS staff
                   ON staff.place = 1 + n % 200) AS work";
    let mut conn = pool.acquire().await.unwrap();
    // The tests' servers commit before the log is written, and VACUUM marks no page as visible to all before it is.
    sqlx::raw_sql("SET synchronous_commit = on").execute(&mut *conn).await.unwrap();
    sqlx::query(bookings).bind(service).bind(tuesday("09:00")).bind(count).execute(&mut *conn).await.unwrap();
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut *conn).await.unwrap();
}

/// An array of so many equal instants, in SQL.
fn repeated(at: DateTime<Utc>, count: usize) -> String {
    format!("array_fill('{at}'::timestamptz, ARRAY[{count}])")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_of_slots_reads_the_whole_table_of_bookings() {
    let salon = Salon::open(20).await;
    let service = salon.service(|_| ()).await;
    // Without the limits of a program's own connections.
    let pool = salon.database().pool();
    fill(pool, service, 100_000).await;
    let mut conn = pool.acquire().await.unwrap();
    let staff: Vec<String> = salon.staff.iter().map(ToString::to_string).collect();
    let (staff, now) = (format!("'{{{}}}'", staff.join(",")), tuesday("09:00"));
    let (early, late) = (now - TimeDelta::days(2), now + TimeDelta::days(33));
    let load = include_str!("../../../../core/src/slots/load.rs");
    let retention = include_str!("../../../../core/src/privacy/retention.rs");
    for (source, begin, parameters, index, most) in [
        // 20 members of staff over 31 days: 7,000 bookings.
        (
            load,
            "SELECT staff.id AS",
            format!("{staff}, {}, {}, '{now}', NULL", repeated(early, 20), repeated(late, 20)),
            "bookings_calendar",
            800,
        ),
        (
            retention,
            "SELECT c.id, c.created_at",
            format!("'1970-01-01', '{}', '{early}', '{now}', 1000", uuid::Uuid::nil()),
            "bookings_by_customer",
            8000,
        ),
    ] {
        let (plan, pages) = explain(&mut conn, &statement(source, begin), &parameters).await;
        assert!(!plan.contains("Seq Scan on bookings"), "{plan}");
        assert!(plan.contains(index), "it should use {index}:\n{plan}");
        assert!(pages <= most, "{pages} pages, at most {most}:\n{plan}");
    }
}

/// A booking's statements are planned once, for any calendar: while there are few bookings, reading all of a month may
/// seem as good as reading one calendar, and the plan outlives that.
#[tokio::test(flavor = "multi_thread")]
async fn a_booking_reads_one_calendar_while_there_are_few() {
    let salon = Salon::open(20).await;
    let service = salon.service(|_| ()).await;
    let pool = salon.database().pool();
    fill(pool, service, 1_500).await;
    let mut conn = pool.acquire().await.unwrap();
    sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut *conn).await.unwrap();
    let now = tuesday("09:00");
    let (early, late) = (now - TimeDelta::days(2), now + TimeDelta::days(33));
    let (early, late) = (repeated(early, 1), repeated(late, 1));
    let parameters = format!("'{{{}}}', {early}, {late}, '{now}', NULL", salon.staff[0]);
    let load = statement(include_str!("../../../../core/src/slots/load.rs"), "SELECT staff.id AS");
    let (plan, pages) = explain(&mut conn, &load, &parameters).await;
    assert!(pages <= 8, "{pages} pages, at most 8:\n{plan}");
}

/// A batch looks up its customers with plans that are made once, for a new business while it has none.
#[tokio::test]
async fn customers_are_found_by_the_index_of_what_is_given_even_before_the_first_one() {
    let salon = Salon::open(1).await;
    let mut conn = salon.database().pool().acquire().await.unwrap();
    sqlx::raw_sql(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
         SET enable_mergejoin = off",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    let booker = include_str!("../../../../core/src/customers/booker.rs");
    for (begin, parameters, index) in [
        ("SELECT address AS", "'{gina@example.org}'", "customers_email"),
        ("SELECT id FROM customers", "'{01890a5d-ac96-774b-bcce-b302099a8057}'", "customers_pkey"),
    ] {
        let (plan, _) = explain(&mut conn, &statement(booker, begin), parameters).await;
        assert!(plan.contains(index), "it should use {index}:\n{plan}");
    }
}
