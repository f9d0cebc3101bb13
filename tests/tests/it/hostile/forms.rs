//! Ten thousand malformed form posts to the pages: nothing fails, nothing is booked or changed, and each page says what to do.

use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::json;

use crate::pages::{ADA, Booking, Salon, salon, target};

const COUNT: u64 = 10_000;
const AT_ONCE: usize = 24;

/// Random numbers of a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % below
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

/// Values of fields, encoded as a form has them; none is a good name with a good address.
const VALUES: [&str; 22] = [
    "",
    "+",
    "%00",
    "%FF%FE%80",
    "%",
    "%zz",
    "x",
    "0",
    "-1",
    "99999999999999999999",
    "NaN",
    "null",
    "on",
    "%0D%0ABcc%3A+a%40example.org",
    "a%40",
    "a%00%40example.org",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "%7B%7B7*7%7D%7D",
    "..%2F..%2Fetc%2Fpasswd",
    "2027-05-04T09:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "%F0%9F%A6%80",
];

const FIELDS: [&str; 14] = [
    "token",
    "name",
    "email",
    "phone",
    "note",
    "rev",
    "start",
    "staff",
    "password",
    "new_password",
    "form_token",
    "language",
    "everywhere",
    "%66oo%00",
];

/// What the posts are made of.
struct Aim {
    /// Paths of forms, with what each has in its address.
    paths: Vec<String>,
    /// Tokens of forms that were used, of other purposes, or cut.
    tokens: Vec<String>,
    /// A value of 12,000 characters.
    huge: String,
}

impl Aim {
    fn post(&self, number: u64) -> (String, &'static str, Vec<u8>) {
        let mut dice = Dice(number);
        let path = self.paths[dice.roll(self.paths.len())].clone();
        let mut body = String::new();
        for _ in 0..dice.roll(9) {
            let field = dice.one(&FIELDS);
            let value = match dice.roll(12) {
                0 => self.huge.as_str(),
                1..=3 => &self.tokens[dice.roll(self.tokens.len())],
                _ => dice.one(&VALUES),
            };
            let pair = format!("{field}={value}&");
            body.push_str(&pair);
            if dice.roll(6) == 0 {
                body.push_str(&pair);
            }
        }
        let kind = dice.one(&[
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=x",
            "",
        ]);
        let mut bytes = body.into_bytes();
        if dice.roll(5) == 0 {
            bytes.extend([0xFF, 0xC3, 0x28, 0]);
        }
        (path, kind, bytes)
    }
}

/// All that a booking is.
async fn state(salon: &Salon) -> String {
    let rows = "SELECT jsonb_build_array((SELECT jsonb_agg(b ORDER BY id) FROM bookings b),
        (SELECT count(*) FROM customers), (SELECT count(*) FROM users), (SELECT count(*) FROM notifications))::text";
    sqlx::query_scalar(rows).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_odd_forms_book_nothing_and_each_page_says_what_to_do() {
    let salon = salon(2, json!({})).await;
    let book = Booking { salon: &salon };
    let (choice, used) = book.choose("20270504T0700Z").await;
    let form = book.hold("20270504T0800Z").await;
    let manage = target(&form, &salon.submit(&form, &ADA).await).split_once('?').unwrap().0.to_owned();
    let kept = book.hold("20270505T0700Z").await;
    let cut = &kept[..kept.len() - 3];
    let other = manage.replace("/m/", "/h/");
    let times = book.times();
    let aim = Aim {
        paths: vec![
            // The address has a key, the form must have it too.
            choice.clone(),
            format!("{times}/20270504T0700Z"),
            format!("{times}/nothing"),
            kept.clone(),
            cut.to_owned(),
            format!("{cut}/release"),
            format!("{other}/renew"),
            other.clone(),
            format!("{manage}/cancel"),
            format!("{manage}/move"),
            format!("{}/note", manage.replace("/m/", "/m/x")),
            "/links".to_owned(),
            "/account/register".to_owned(),
            "/account/profile".to_owned(),
            "/account/delete".to_owned(),
            "/account/logout".to_owned(),
            "/r/nothing".to_owned(),
            "/v/nothing".to_owned(),
            format!("{}/confirm", manage.replace("/m/", "/d/")),
        ],
        tokens: vec![
            manage[3..].to_owned(),
            kept[3..].to_owned(),
            used[..used.len() - 2].to_owned(),
            "b".repeat(90),
        ],
        huge: "%C3%A9".repeat(2000),
    };
    let before = state(&salon).await;
    let posts = stream::iter(0..COUNT).for_each_concurrent(AT_ONCE, |number| {
        let (path, kind, body) = aim.post(number);
        let salon = &salon;
        async move {
            let mut request = salon.request(Method::POST, &path).body(body);
            if !kind.is_empty() {
                request = request.header("content-type", kind);
            }
            let page = salon.send(request).await;
            let status = page.status.as_u16();
            assert!(status < 500, "{number} {path}: {status} {}", page.text);
            if status == 303 {
                return;
            }
            assert!(page.header("content-type").starts_with("text/html"), "{number} {path}: {status}");
            let told = page.text.contains("<button")
                || page.text.contains("href=\"")
                || page.text.contains("lease ");
            assert!(told && page.text.contains("<h1>"), "{number} {path}: {}", page.text);
            assert!(!page.text.contains("<script>alert"), "{number} {path}: {}", page.text);
        }
    });
    posts.await;
    assert_eq!(state(&salon).await, before, "nothing was booked, changed or mailed");

    // What was replayed was good once, and still leads to the same booking.
    let replayed = salon.submit(&form, &ADA).await;
    assert_eq!(target(&form, &replayed).split_once('?').unwrap().0, manage);
    let booked = salon.submit(&kept, &ADA).await;
    assert_eq!(booked.status, 303, "a good form still books: {}", booked.text);
}
