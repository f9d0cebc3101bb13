//! The business as the booking page shows it, read from the database only after a change.
//!
//! The copy is kept with `settings.calendar_rev` and the database server's start, as lists of slots are
//! (`docs/decisions/0015-slot-lists-from-memory.md`): every change of settings, services, staff, weekly hours or pictures
//! increments that revision, so a check sent after the request arrived shows whether the copy is current.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::hours::{self, OpenDay};
use crate::pool::again_if_cut;
use crate::services::{self, Service};
use crate::settings::{self, Business};
use crate::slots::{Page, Revisions, Snapshots};
use crate::staff::{self, StaffMember};
use crate::{Core, Error, Result, pictures};

/// The copy is read again after this time even if no revision changed, so that a manual repair by SQL becomes visible.
const MAX_AGE: Duration = Duration::from_mins(1);

/// The business as customers see it.
#[derive(Debug, Clone)]
pub struct Storefront {
    /// Name, address, colour and rules.
    pub business: Business,
    /// Opening hours.
    pub hours: Vec<OpenDay>,
    /// Tag of the logo; none: there is none.
    pub logo: Option<String>,
    /// Active services, by position and name.
    pub services: Vec<Service>,
    /// Active staff, by name.
    pub staff: Vec<StaffMember>,
}

/// The copy of one process, with the representation `P`.
pub struct Storefronts<P> {
    cached: Mutex<Option<CachedPage<P>>>,
    builder: tokio::sync::Mutex<()>,
}

struct CachedPage<P> {
    page: Arc<P>,
    revisions: Arc<Revisions>,
    /// An instant before the first statement was sent.
    begun: Instant,
}

impl<P> Clone for CachedPage<P> {
    fn clone(&self) -> Self {
        Self { page: Arc::clone(&self.page), revisions: Arc::clone(&self.revisions), begun: self.begun }
    }
}

impl<P> Default for Storefronts<P> {
    fn default() -> Self {
        Self { cached: Mutex::new(None), builder: tokio::sync::Mutex::new(()) }
    }
}

impl<P: From<Storefront>> Storefronts<P> {
    /// The current business: it contains every write that any process acknowledged before this call. `slots` checks the
    /// revision together with those of its lists.
    ///
    /// # Errors
    /// [`Error::NotFound`] before the business is set up; those of the database.
    pub async fn read<L: Page>(&self, core: &Core, slots: &Snapshots<L>) -> Result<Arc<P>> {
        let asked = Instant::now();
        if let Some(cached) = self.find().filter(|cached| asked.duration_since(cached.begun) < MAX_AGE)
            && (cached.begun >= asked || slots.are_current(&cached.revisions).await)
        {
            return Ok(cached.page);
        }
        let _builder = self.builder.lock().await;
        if let Some(cached) = self.find().filter(|cached| cached.begun >= asked) {
            return Ok(cached.page);
        }
        let begun = Instant::now();
        let revisions = Arc::new(again_if_cut(|| Revisions::of_business(core)).await?);
        let page = Arc::new(P::from(load(core).await?));
        let cached = CachedPage { page: Arc::clone(&page), revisions, begun };
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(cached);
        Ok(page)
    }

    fn find(&self) -> Option<CachedPage<P>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn load(core: &Core) -> Result<Storefront> {
    Ok(Storefront {
        business: settings::get(&core.pool).await?,
        hours: hours::opening(core).await?,
        logo: pictures::logo_tag(core).await?,
        services: services::list(core, false).await?,
        staff: staff::list(core, None, false).await?,
    })
}

impl Storefront {
    /// The active service with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn service(&self, id: uuid::Uuid) -> Result<&Service> {
        self.services.iter().find(|service| service.id == id).ok_or(Error::NotFound("service"))
    }
}
