//! A real api with demo data while a command runs: used by the tests of generated clients.

use std::process::ExitStatus;

use punctual_core::Core;
use punctual_queue::{ServerClock, Wake};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{BusinessBuilder, EVERY_DAY, Process, Programs, TestDatabase, business, week};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PASSWORD: &str = "correct horse battery staple";

/// A business behind a real api.
pub struct Live {
    /// The api's process.
    pub api: Process,
    /// Access token of an administrator, valid for an hour.
    pub admin: String,
    /// Access token of a member of staff, valid for an hour.
    pub staff: String,
    /// Access token of a customer, valid for an hour.
    pub customer: String,
    /// The service that is open all week.
    pub service_id: String,
    pool: PgPool,
    client: reqwest::Client,
    /// Dropped last: the api stops first.
    database: Option<TestDatabase>,
}

impl Live {
    /// Starts the api and opens the salon: two members of staff who work from 8 to 20 each day, one service.
    ///
    /// # Errors
    /// When the api refuses something.
    pub async fn open() -> Result<Self> {
        Self::open_with(&[]).await
    }

    /// The same with more configuration.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub async fn open_with(more: &[(&str, &str)]) -> Result<Self> {
        let database = TestDatabase::create().await;
        let programs = Programs::on(&database);
        let programs = more.iter().fold(programs, |programs, (name, value)| programs.set(name, value));
        let mut live = Self::on(database.pool(), programs).await?;
        live.database = Some(database);
        Ok(live)
    }

    /// The same with these programs, on a database that the caller keeps; `pool` may change everything in it.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub async fn on(pool: &PgPool, programs: Programs) -> Result<Self> {
        let clock = ServerClock::start(pool).await?;
        let opened = BusinessBuilder::default()
            .settings(business())
            .staff(["Maria", "Jonas"], &week(&EVERY_DAY, "08:00-20:00"))
            .service(|service| (service.duration_min, service.slot_step_min) = (30, 30))
            .open(&Core::new(pool.clone(), clock, Wake::polling()))
            .await;
        let mut live = Self {
            api: programs.set("PUNCTUAL_ACCESS_TOKEN_SECONDS", "3600").api().await,
            admin: String::new(),
            staff: String::new(),
            customer: String::new(),
            service_id: opened.services[0].to_string(),
            pool: pool.clone(),
            client: reqwest::Client::new(),
            database: None,
        };
        live.admin = live.account("admin").await?;
        live.staff = live.account("staff").await?;
        live.customer = live.account("customer").await?;
        Ok(live)
    }

    /// Runs a command that finds the api by its environment: `LIVE_URL`, `LIVE_ADMIN_TOKEN`, `LIVE_STAFF_TOKEN`,
    /// `LIVE_CUSTOMER_TOKEN`, `LIVE_SERVICE_ID`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn run(&self, program: &str, args: &[String]) -> Result<ExitStatus> {
        let status = tokio::process::Command::new(program)
            .args(args)
            .env("LIVE_URL", self.api.url())
            .env("LIVE_ADMIN_TOKEN", &self.admin)
            .env("LIVE_STAFF_TOKEN", &self.staff)
            .env("LIVE_CUSTOMER_TOKEN", &self.customer)
            .env("LIVE_SERVICE_ID", &self.service_id)
            .status();
        Ok(status.await?)
    }

    /// Registers an account, gives it its role and logs it in.
    async fn account(&self, role: &str) -> Result<String> {
        let email = format!("{role}@example.org");
        let new = json!({ "email": email, "password": PASSWORD, "name": role });
        self.post("/v1/auth/register", &new).await?;
        sqlx::query("UPDATE users SET role = $1::user_role WHERE email = $2::citext")
            .bind(role)
            .bind(&email)
            .execute(&self.pool)
            .await?;
        let login = json!({ "email": email, "password": PASSWORD });
        let session = self.post("/v1/auth/login", &login).await?;
        Ok(session["access_token"].as_str().unwrap_or_default().to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.client.post(format!("{}{path}", self.api.url())).json(body).send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status.is_success() { Ok(body) } else { Err(format!("{path}: {status} {body}").into()) }
    }
}
