//! An owner sets the business up in a browser: real programs, an empty database, no documents.

use punctual_testkit::browser::{Browser, browser};
use punctual_testkit::{Programs, TestDatabase};

const OWNER: &str = "owner@salon-ada.example";
const PASSWORD: &str = "a long enough password";

/// The owner, who counts: `docs/desk.md` names the figures.
struct Owner {
    browser: Browser,
    fields: u32,
    presses: u32,
}

impl Owner {
    async fn fills(&mut self, fields: &[(&str, &str)]) {
        for (name, text) in fields {
            self.browser.fill(&format!("[name={name}]"), text).await.unwrap();
            self.fields += 1;
        }
    }

    /// Presses a button or follows a link; the page that follows says this.
    async fn presses(&mut self, name: &str, seen: &str) {
        self.browser.follow(name).await.unwrap();
        self.presses += 1;
        let text = self.browser.text().await.unwrap();
        assert!(text.contains(seen), "{seen} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_opens_the_business_with_six_buttons_and_eight_fields() {
    let (Some(browser), Some(mut customer)) = (browser().await, browser().await) else { return };
    let database = TestDatabase::create().await;
    let programs = Programs::on(&database);
    let made =
        programs.run("api", &["admin", "create", OWNER, "--name", "Ada Owner", "--password-stdin"], PASSWORD);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let api = programs.api().await;
    // Under this name browsers keep cookies for secure pages.
    let url = api.url().replace("127.0.0.1", "localhost");
    let mut owner = Owner { browser, fields: 0, presses: 0 };
    owner.browser.open(&format!("{url}/desk")).await.unwrap();
    owner.fills(&[("email", OWNER), ("password", PASSWORD)]).await;
    owner.presses("Log in", "Step 1 of 3").await;
    let business = [("name", "Salon Ada"), ("address", "Sonnenallee 1"), ("phone", "+49 30 5550100")];
    owner.fills(&business).await;
    owner.presses("Continue", "Step 2 of 3").await;
    owner.fills(&[("name", "Maria")]).await;
    owner.presses("Continue", "A usual week is filled in").await;
    owner.presses("Continue", "Step 3 of 3").await;
    owner.fills(&[("name", "Haircut"), ("price", "45")]).await;
    owner.presses("Save", "customers can book now").await;
    owner.presses("See what customers see", "Haircut").await;
    assert_eq!((owner.presses, owner.fields), (6, 8), "docs/desk.md has these figures");

    // A customer books, and it stands in the owner's calendar.
    customer.open(&format!("{url}/book")).await.unwrap();
    customer.follow_containing("Haircut").await.unwrap();
    customer.follow_containing("Next free:").await.unwrap();
    customer.follow("Continue").await.unwrap();
    for (name, text) in [("name", "Grace Hopper"), ("email", "grace@example.org")] {
        customer.fill(&format!("[name={name}]"), text).await.unwrap();
    }
    customer.follow("Book now").await.unwrap();
    customer.close().await.unwrap();
    let date: String = sqlx::query_scalar("SELECT local_start::date::text FROM bookings")
        .fetch_one(database.pool())
        .await
        .unwrap();
    owner.browser.open(&format!("{url}/desk?date={date}")).await.unwrap();
    assert!(owner.browser.text().await.unwrap().contains("Grace Hopper"));
    owner.browser.close().await.unwrap();
}
