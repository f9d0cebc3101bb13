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

/// Who looks at the booking page, as far as the address and the browser tell.
pub struct Visitor {
    pub visit: Visit,
    /// The language the address asks for, else the browser's.
    pub locale: Locale,
    /// The zone that is shown beside the business's.
    pub zone: Option<Zone>,
    /// How many seats of a class are wanted; 1 of anything else.
    seats: u32,
    /// The page that frames this one, if it may.
    pub embed: Option<String>,
    /// Whether the address names the language.
    requested_locale: Option<Locale>,
}

impl Visitor {
    /// # Errors
    /// `not_found` where the booking page is turned off.
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

    /// The business as it is now.
    ///
    /// # Errors
    /// `not_found` before the business is set up, `unavailable`.
    pub async fn storefront(&self) -> Result<Arc<StorefrontPages>, Problem> {
        let state = &self.visit.state;
        Ok(state.storefronts.read(&state.core, &state.slots).await?)
    }

    /// How many seats of the service are wanted, at most those of one class.
    pub fn seats(&self, service: &Service) -> u32 {
        self.seats.min(service.spec.capacity)
    }

    /// What links carry on of the address: `?lang=de&tz=…`, or nothing.
    pub fn carry(&self) -> String {
        self.query(self.requested_locale, &[])
    }

    /// The same with more.
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

    /// Whether nothing is asked that only this visitor asks: the page may be kept for others and be found by search engines.
    pub fn is_plain(&self) -> bool {
        self.zone.is_none() && self.embed.is_none() && self.seats == 1
    }

    /// The language that the address names.
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
