//! The business that tests run on.

use chrono::Weekday;
use punctual_core::calendar::{DayWindow, WeeklyWindow};
use punctual_core::services::{self, ServiceDisplay, ServiceSpec};
use punctual_core::settings::{self, Business};
use punctual_core::staff::{self, NewStaff};
use punctual_core::types::{
    Actor, Currency, EmailAddress, ExpectedRev, Label, Locale, Note, PersonName, Rev, Zone,
};
use punctual_core::{Core, hours};
use uuid::Uuid;

/// Monday to Sunday.
pub const EVERY_DAY: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Opens a business: its settings, members of staff with their hours, and services that all of them perform.
///
/// ```no_run
/// # async fn open(core: &punctual_core::Core) {
/// use punctual_testkit::{BusinessBuilder, EVERY_DAY, business, week};
///
/// let opened = BusinessBuilder::default()
///     .settings(business())
///     .staff(["Maria", "Jonas"], &week(&EVERY_DAY, "09:00-12:00 13:00-18:00"))
///     .service(|service| service.capacity = 6)
///     .open(core)
///     .await;
/// # }
/// ```
#[derive(Default)]
pub struct BusinessBuilder {
    settings: Option<Business>,
    staff: Vec<(String, Vec<WeeklyWindow>)>,
    services: Vec<ChangeService>,
}

type ChangeService = Box<dyn FnOnce(&mut ServiceSpec) + Send>;

/// Ids of what a [`BusinessBuilder`] made, in the order in which it was asked for.
#[derive(Debug)]
pub struct OpenBusiness {
    /// Members of staff.
    pub staff: Vec<Uuid>,
    /// Services.
    pub services: Vec<Uuid>,
}

impl BusinessBuilder {
    /// Stores these settings; without them the business must have its settings already.
    #[must_use]
    pub fn settings(self, settings: Business) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Members of staff who work these hours each week.
    #[must_use]
    pub fn staff(mut self, names: impl IntoIterator<Item: Into<String>>, week: &[WeeklyWindow]) -> Self {
        self.staff.extend(names.into_iter().map(|name| (name.into(), week.to_vec())));
        self
    }

    /// [`haircut`] by all members of staff, changed by `change`.
    #[must_use]
    pub fn service(mut self, change: impl FnOnce(&mut ServiceSpec) + Send + 'static) -> Self {
        self.services.push(Box::new(change));
        self
    }

    /// Stores everything through the use cases of core.
    ///
    /// # Panics
    /// When core refuses something.
    pub async fn open(self, core: &Core) -> OpenBusiness {
        if let Some(settings) = self.settings {
            settings::put(&core.pool, core.now(), &settings).await.expect("valid settings");
        }
        let mut opened = OpenBusiness { staff: Vec::new(), services: Vec::new() };
        for (name, week) in self.staff {
            let name = PersonName::parse(&name).expect("a valid name");
            let new = NewStaff { name, email: None, user_id: None };
            let id =
                staff::create(core, &Actor::System, None, new).await.expect("a member of staff").value.id;
            hours::put_week(core, &Actor::System, id, ExpectedRev::Any, week).await.expect("valid hours");
            opened.staff.push(id);
        }
        for change in self.services {
            let mut spec = haircut(&opened.staff);
            change(&mut spec);
            opened.services.push(
                services::create(core, &Actor::System, None, spec).await.expect("a valid service").value.id,
            );
        }
        opened
    }
}

/// These windows, such as `09:00-12:00 13:00-18:00`, on each of these days.
///
/// # Panics
/// When a window is not written so.
#[must_use]
pub fn week(days: &[Weekday], windows: &str) -> Vec<WeeklyWindow> {
    let windows: Vec<DayWindow> = windows.split(' ').map(window).collect();
    days.iter()
        .flat_map(|weekday| windows.iter().map(|window| WeeklyWindow { weekday: *weekday, window: *window }))
        .collect()
}

/// A window such as `09:00-12:00`.
///
/// # Panics
/// When it is not written so.
#[must_use]
pub fn window(text: &str) -> DayWindow {
    let (opens, closes) = text.split_once('-').expect("a window has two times");
    DayWindow::new(opens.parse().expect("a time"), closes.parse().expect("a time")).expect("a valid window")
}

/// A service of an hour, each hour, without reminders, notice and buffers.
///
/// # Panics
/// Never: all values are valid.
#[must_use]
pub fn haircut(staff_ids: &[Uuid]) -> ServiceSpec {
    ServiceSpec {
        name: Label::parse("Haircut").expect("a valid name"),
        description: Note::empty(),
        duration_min: 60,
        slot_step_min: 60,
        buffer_before_min: 0,
        buffer_after_min: 0,
        capacity: 1,
        min_notice_min: 0,
        horizon_days: 90,
        cancel_notice_min: 0,
        reschedule_notice_min: 0,
        requires_confirmation: false,
        price_minor: 4500,
        active: true,
        reminders: Vec::new(),
        staff_ids: staff_ids.to_vec(),
        display: ServiceDisplay::default(),
    }
}

/// The settings of a salon in Berlin that takes bookings of guests. A test that needs other settings changes them:
/// `Business { guests_allowed: false, ..business() }`.
///
/// # Panics
/// Never: all values are valid.
#[must_use]
pub fn business() -> Business {
    let address =
        |local: &str| EmailAddress::parse(&format!("{local}@example.org")).expect("a valid address");
    Business {
        name: "Salon".to_owned(),
        address: String::new(),
        phone: None,
        reply_to: address("salon"),
        sender: address("salon"),
        notify_address: None,
        currency: Currency::parse("EUR").expect("a valid currency"),
        zone: Zone::parse("Europe/Berlin").expect("a valid zone"),
        locale: Locale::En,
        public_url: "http://localhost:8080".to_owned(),
        guests_allowed: true,
        retention_days: None,
        accent_colour: None,
        rev: Rev(1),
        country: None,
    }
}
