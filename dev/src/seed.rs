//! The demo business: three services, two members of staff, their hours, one administrator.

use anyhow::{Context as _, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use chrono::Weekday;
use punctual_core::calendar::{CivilTime, DayWindow, ReminderRule, WeeklyWindow};
use punctual_core::services::{self, ServiceDisplay, ServiceSpec, ServiceText};
use punctual_core::settings::{self, Business};
use punctual_core::staff::{self, NewStaff};
use punctual_core::types::{
    Actor, Country, Currency, EmailAddress, ExpectedRev, Label, Locale, Note, PersonName, Phone, Rev, Zone,
};
use punctual_core::users::{self, NewUser};
use punctual_core::{Core, Error, hours, sandbox};
use punctual_queue::Wake;
use sqlx::PgPool;
use uuid::Uuid;

use crate::home::{Home, random_bytes};
use crate::stack::Admin;

const BUSINESS: &str = "Salon Morgenrot";
const ADMIN: &str = "admin@salon-morgenrot.test";
const STAFF: [(&str, &str); 2] =
    [("Maria Lindner", "maria@salon-morgenrot.test"), ("Jonas Weber", "jonas@salon-morgenrot.test")];

/// Creates the demo business if there is none, and returns its administrator. `None` if the database has another
/// business, which is not changed.
///
/// # Errors
/// When the database refuses.
pub async fn ensure(pool: &PgPool, home: &Home, public_url: &str) -> Result<Option<Admin>> {
    let core = Core::new(
        pool.clone(),
        sandbox::follow_clock(&mut *pool.acquire().await?, pool).await?,
        Wake::polling(),
    );
    match settings::get(pool).await {
        Ok(business) if business.name != BUSINESS => return Ok(None),
        Ok(business) if business.public_url == public_url => {}
        Ok(_) | Err(Error::NotFound(_)) => settings::put(pool, core.now(), &business(public_url)?).await?,
        Err(error) => return Err(error.into()),
    }
    let admin = Admin { email: ADMIN.to_owned(), password: home.secret("admin-password", new_password)? };
    // The administrator is created last: its existence means that the business is complete.
    let email = EmailAddress::parse(ADMIN)?;
    if let Some(user) = users::find_for_login(pool, &email).await? {
        if !verifies(&admin.password, &user.password_hash.unwrap_or_default()) {
            users::set_password(pool, core.now(), user.id, &hash_of(&admin.password)?).await?;
        }
    } else {
        let staff_ids = ensure_staff(&core).await?;
        ensure_services(&core, &staff_ids).await?;
        let name = PersonName::parse("Alex Morgenrot")?;
        let user = NewUser { email, name, phone: None, locale: None, zone: None };
        users::create_admin(pool, core.now(), &user, Some(&hash_of(&admin.password)?)).await?;
    }
    Ok(Some(admin))
}

/// The settings of the demo business.
///
/// # Errors
/// Never: all values are valid.
pub fn business(public_url: &str) -> Result<Business> {
    Ok(Business {
        name: BUSINESS.to_owned(),
        address: "Sonnenallee 12, 12047 Berlin".to_owned(),
        phone: Some(Phone::parse("+49 30 5550100")?),
        reply_to: EmailAddress::parse("hello@salon-morgenrot.test")?,
        sender: EmailAddress::parse("bookings@salon-morgenrot.test")?,
        notify_address: None,
        currency: Currency::parse("EUR")?,
        zone: Zone::parse("Europe/Berlin")?,
        locale: Locale::parse("en")?,
        public_url: public_url.to_owned(),
        guests_allowed: true,
        retention_days: None,
        accent_colour: None,
        country: Some(Country::parse("DE")?),
        rev: Rev(1),
    })
}

async fn ensure_staff(core: &Core) -> Result<Vec<Uuid>> {
    let present = staff::list(core, None, true).await?;
    let mut ids = Vec::new();
    for (index, (name, email)) in STAFF.into_iter().enumerate() {
        let name = PersonName::parse(name)?;
        let id = if let Some(member) = present.iter().find(|member| member.name == name) {
            member.id
        } else {
            let email = Some(EmailAddress::parse(email)?);
            staff::create(core, &Actor::System, None, NewStaff { name, email, user_id: None }).await?.value.id
        };
        hours::put_week(core, &Actor::System, id, ExpectedRev::Any, week(index)?).await?;
        ids.push(id);
    }
    Ok(ids)
}

/// Maria works Monday to Saturday with a break at noon, Jonas Tuesday to Friday into the evening.
fn week(member: usize) -> Result<Vec<WeeklyWindow>> {
    use Weekday::{Fri, Mon, Sat, Thu, Tue, Wed};

    let (days, windows): (&[Weekday], [(&str, &str); 2]) = match member {
        0 => (&[Mon, Tue, Wed, Thu, Fri, Sat], [("09:00", "12:30"), ("13:30", "18:00")]),
        _ => (&[Tue, Wed, Thu, Fri], [("12:00", "16:00"), ("16:30", "21:00")]),
    };
    let mut week = Vec::new();
    for weekday in days {
        for (opens, closes) in windows {
            let window = DayWindow::new(opens.parse::<CivilTime>()?, closes.parse::<CivilTime>()?)?;
            week.push(WeeklyWindow { weekday: *weekday, window });
        }
    }
    Ok(week)
}

async fn ensure_services(core: &Core, staff_ids: &[Uuid]) -> Result<()> {
    let present = services::list(core, true).await?;
    for spec in specs(staff_ids)? {
        if !present.iter().any(|service| service.spec.name == spec.name) {
            services::create(core, &Actor::System, None, spec).await?;
        }
    }
    Ok(())
}

fn specs(staff_ids: &[Uuid]) -> Result<[ServiceSpec; 3]> {
    let day_before = ReminderRule::DayBeforeAt { at: "17:00".parse()? };
    let haircut = ServiceSpec {
        name: Label::parse("Haircut")?,
        description: Note::parse("Wash, cut and blow-dry.")?,
        duration_min: 45,
        slot_step_min: 15,
        buffer_before_min: 0,
        buffer_after_min: 10,
        capacity: 1,
        min_notice_min: 60,
        horizon_days: 60,
        cancel_notice_min: 120,
        reschedule_notice_min: 120,
        requires_confirmation: false,
        price_minor: 4500,
        active: true,
        reminders: vec![day_before, ReminderRule::Offset { minutes: 120 }],
        staff_ids: staff_ids.to_vec(),
        display: shown("Hair", 1, ["Haarschnitt", "Waschen, schneiden, föhnen.", "Haar"])?,
    };
    let colour = ServiceSpec {
        name: Label::parse("Colour and cut")?,
        description: Note::parse("With a consultation; allow two hours.")?,
        duration_min: 120,
        slot_step_min: 30,
        buffer_after_min: 15,
        price_minor: 12_000,
        requires_confirmation: true,
        reminders: vec![day_before],
        staff_ids: staff_ids[..1].to_vec(),
        display: shown(
            "Hair",
            2,
            ["Farbe und Schnitt", "Mit Beratung; nehmen Sie sich zwei Stunden Zeit.", "Haar"],
        )?,
        ..haircut.clone()
    };
    let beard = ServiceSpec {
        name: Label::parse("Beard trim")?,
        description: Note::empty(),
        duration_min: 20,
        slot_step_min: 10,
        buffer_after_min: 5,
        price_minor: 1800,
        reminders: vec![ReminderRule::Offset { minutes: 60 }],
        display: shown("Beard", 3, ["Bartschnitt", "", "Bart"])?,
        ..haircut.clone()
    };
    Ok([haircut, colour, beard])
}

/// Where a service is listed, and its German name, description and category.
fn shown(category: &str, position: u32, german: [&str; 3]) -> Result<ServiceDisplay> {
    let [name, description, german_category] = german;
    let german = ServiceText {
        name: Label::parse(name)?,
        description: Note::parse(description)?,
        category: Some(Label::parse(german_category)?),
    };
    Ok(ServiceDisplay {
        category: Some(Label::parse(category)?),
        position,
        translations: [(Locale::De, german)].into(),
    })
}

fn hash_of(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.ok().context("cannot hash a password")?.to_string())
}

fn verifies(password: &str, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash).ok();
    parsed.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn new_password() -> Result<String> {
    Ok(format!("dev-{:016x}", u64::from_le_bytes(random_bytes()?)))
}
