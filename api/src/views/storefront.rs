use std::sync::OnceLock;

use punctual_core::storefront::Storefront;

use super::ListPage;

/// Variants of the list of services: two languages, from browser or URL, for visitors who can book or must log in first.
const VARIANTS: usize = 8;

/// The business for pages, with its rendered lists of services.
#[derive(Debug)]
pub struct StorefrontPages {
    /// The business itself.
    pub front: Storefront,
    pages: [OnceLock<ListPage>; VARIANTS],
}

impl StorefrontPages {
    /// The list of services of this variant, if rendered.
    #[must_use]
    pub fn page(&self, way: usize) -> Option<&ListPage> {
        self.pages.get(way).and_then(OnceLock::get)
    }

    /// Stores a list that was rendered from this copy.
    pub fn keep(&self, way: usize, page: ListPage) {
        // Another request may have rendered the same.
        let _ = self.pages.get(way).map(|kept| kept.set(page));
    }
}

impl From<Storefront> for StorefrontPages {
    fn from(front: Storefront) -> Self {
        Self { front, pages: std::array::from_fn(|_| OnceLock::new()) }
    }
}
