use std::sync::OnceLock;

use punctual_core::storefront::Storefront;

use super::ListPage;

/// Ways to show the list of services: two languages, each chosen by the browser or by the address, to somebody who can
/// book or has to log in first.
const WAYS: usize = 8;

/// The business as pages show it, with the lists of services that were made of it.
#[derive(Debug)]
pub struct StorefrontPages {
    /// The business itself.
    pub front: Storefront,
    pages: [OnceLock<ListPage>; WAYS],
}

impl StorefrontPages {
    /// The list of services shown in this way, once it was made.
    #[must_use]
    pub fn page(&self, way: usize) -> Option<&ListPage> {
        self.pages.get(way).and_then(OnceLock::get)
    }

    /// Keeps a list that was made of this copy.
    pub fn keep(&self, way: usize, page: ListPage) {
        // Another request may have made the same.
        let _ = self.pages.get(way).map(|kept| kept.set(page));
    }
}

impl From<Storefront> for StorefrontPages {
    fn from(front: Storefront) -> Self {
        Self { front, pages: std::array::from_fn(|_| OnceLock::new()) }
    }
}
