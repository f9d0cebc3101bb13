use std::sync::Arc;

use punctual_core::{
    Error,
    services::Service,
    types::{Locale, Zone},
};

use crate::{
    http::problem::Problem,
    pages::{html::accepted_language, visit::Visit},
    views::StorefrontPages,
};

/// A visitor's preferences, from the URL and the browser's headers.
pub struct Visitor {
    pub visit: Visit,
    /// The language of the URL, else the browser's.
    pub locale: Locale,
    /// A second time zone to show beside the business's.
    pub zone: Option<Zone>,
    /// Requested seats of a class; 1 for other services.
    seats: u32,
    /// Origin of the page that frames this one, if it is allowed to.
    pub embed: Option<String>,
    /// Whether the URL sets the language.
    requested_locale: Option<Locale>,
}

impl Visitor {
    /// # Errors
    /// `not_found` if the booking page is turned off.
    pub fn of(visit: Visit) -> Result<Self, Problem> {
        if !visit.state.config.booking_page {
            return Err(Error::NotFound("page").into());
        }
        let requested_locale = visit.query_param("lang").and_then(|text| Locale::parse(text).ok());
        let origins = &visit.state.config.embed_origins;
        let embed = visit.query_param("embed").filter(|origin| origins.iter().any(|known| known == origin));
        Ok(Self {
            locale: requested_locale.unwrap_or_else(|| accepted_language(&visit.headers)),
            zone: visit.query_param("tz").and_then(|text| Zone::parse(text).ok()),
            seats: visit
                .query_param("seats")
                .and_then(|text| text.parse().ok())
                .filter(|n| *n >= 1)
                .unwrap_or(1),
            embed: embed.map(str::to_owned),
            requested_locale,
            visit,
        })
    }

    /// The business's settings.
    ///
    /// # Errors
    /// `not_found` before the business is set up, `unavailable`.
    pub async fn storefront(&self) -> Result<Arc<StorefrontPages>, Problem> {
        let state = &self.visit.state;
        Ok(state.storefronts.read(&state.core, &state.slots).await?)
    }

    /// Requested seats of the service, at most the capacity of a class.
    pub fn seats(&self, service: &Service) -> u32 {
        self.seats.min(service.spec.capacity)
    }

    /// The query that links pass on: `?lang=de&tz=…`, or empty.
    pub fn carry(&self) -> String {
        self.query(self.requested_locale, &[])
    }

    /// The same with further parameters.
    pub fn carry_with(&self, more: &[(&str, &str)]) -> String {
        self.query(self.requested_locale, more)
    }

    /// This page's query in another language.
    pub fn in_language(&self, locale: Locale) -> String {
        let kept: Vec<(&str, &str)> = ["from", "k"]
            .into_iter()
            .filter_map(|name| Some((name, self.visit.query_param(name)?)))
            .collect();
        self.query(Some(locale), &kept)
    }

    /// Whether the URL has no personal parameters: then the page may be cached for others and indexed by search engines.
    pub fn is_plain(&self) -> bool {
        self.zone.is_none() && self.embed.is_none() && self.seats == 1
    }

    /// The language of the URL.
    pub const fn requested_locale(&self) -> Option<Locale> {
        self.requested_locale
    }

    fn query(&self, locale: Option<Locale>, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(locale) = locale {
            query.append_pair("lang", locale.as_str());
        }
        if let Some(zone) = self.zone {
            query.append_pair("tz", zone.name());
        }
        if let Some(embed) = &self.embed {
            query.append_pair("embed", embed);
        }
        if self.seats > 1 {
            query.append_pair("seats", &self.seats.to_string());
        }
        query.extend_pairs(more);
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}
