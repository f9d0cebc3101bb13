//! Data of the business that every page of `/book` shows.

use std::sync::Arc;

use chrono::Weekday;
use poem::{Response, http::StatusCode};
use punctual_core::{hours::OpenDay, settings::Business, types::Locale, wording::weekday};
use serde::Serialize;

use super::Visitor;
use crate::{
    http::problem::Problem,
    pages::{
        appointment::map,
        html::{self, PageOptions},
    },
    views::StorefrontPages,
};

/// The business, and rendering of its pages.
pub struct Site {
    pub storefront: Arc<StorefrontPages>,
    logo: Option<String>,
    root: String,
    carry: String,
    framed_by: String,
}

/// The business as the layout shows it.
#[derive(Serialize)]
pub struct Facts {
    name: String,
    initial: String,
    /// Path of the logo.
    logo: Option<String>,
    address_lines: Vec<String>,
    map: String,
    phone: Option<String>,
    phone_digits: String,
    hours: Vec<Day>,
    tongues: Vec<LanguageLink>,
    /// Origin of the page that frames this one.
    embed: Option<String>,
    share: Option<Share>,
}

#[derive(Serialize)]
struct Day {
    name: String,
    windows: Vec<String>,
}

#[derive(Serialize)]
struct LanguageLink {
    code: &'static str,
    name: &'static str,
    href: String,
    current: bool,
}

/// Metadata for search engines and link previews.
#[derive(Serialize)]
pub struct Share {
    pub title: String,
    pub description: String,
    pub canonical: String,
    languages: Vec<Alternate>,
    image: Option<String>,
}

#[derive(Serialize)]
struct Alternate {
    code: &'static str,
    href: String,
}

#[derive(Serialize)]
struct PageContext<'a, F: Serialize> {
    site: Facts,
    #[serde(flatten)]
    facts: &'a F,
}

impl Site {
    /// Reads it.
    ///
    /// # Errors
    /// `not_found` before the business is set up, `unavailable`.
    pub async fn of(visitor: &Visitor) -> Result<Self, Problem> {
        Ok(Self::with(visitor, visitor.storefront().await?))
    }

    /// From this copy of the business.
    pub fn with(visitor: &Visitor, storefront: Arc<StorefrontPages>) -> Self {
        Self {
            logo: storefront.front.logo.as_ref().map(|tag| format!("look/logo?v={tag}")),
            carry: visitor.carry(),
            framed_by: visitor.visit.state.config.embed_origins.join(" "),
            root: visitor.visit.root(),
            storefront,
        }
    }

    /// The business's settings.
    pub fn business(&self) -> &Business {
        &self.storefront.front.business
    }

    /// Opening hours.
    pub fn hours(&self) -> &[OpenDay] {
        &self.storefront.front.hours
    }

    /// Path of the logo below the site's top.
    pub fn logo(&self) -> Option<&str> {
        self.logo.as_deref()
    }

    /// Metadata for search engines of the page at this path below the public URL.
    pub fn share(&self, visitor: &Visitor, path: &str, title: String, description: String) -> Option<Share> {
        if !visitor.is_plain() {
            return None;
        }
        let base = &visitor.visit.state.public_url;
        let at = |locale: Option<Locale>| match locale {
            Some(locale) => format!("{base}/{path}?lang={}", locale.as_str()),
            None => format!("{base}/{path}"),
        };
        Some(Share {
            title,
            description,
            canonical: at(visitor.requested_locale()),
            languages: vec![
                Alternate { code: "en", href: at(Some(Locale::En)) },
                Alternate { code: "de", href: at(Some(Locale::De)) },
                Alternate { code: "x-default", href: at(None) },
            ],
            image: self.logo.as_ref().map(|path| format!("{base}/{path}")),
        })
    }

    /// Response options of the page.
    pub fn shown(&self, public: bool, linked_data: Option<String>) -> PageOptions<'_> {
        PageOptions {
            accent: self.business().accent_colour,
            root: &self.root,
            carry: &self.carry,
            framed_by: &self.framed_by,
            script: !self.framed_by.is_empty(),
            desk: false,
            linked_data,
            public,
        }
    }

    /// Renders a page that only its visitor may see.
    ///
    /// # Errors
    /// As [`html::page`].
    pub fn page(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        template: &str,
        facts: &impl Serialize,
    ) -> Result<Response, Problem> {
        let everything = PageContext { site: self.facts(visitor, None), facts };
        html::show(status, template, visitor.locale, &everything, &self.shown(false, None))
    }

    /// Renders the text of a page that search engines may list.
    ///
    /// # Errors
    /// As [`html::page`].
    pub fn public_text(
        &self,
        visitor: &Visitor,
        template: &str,
        facts: &impl Serialize,
        share: Option<Share>,
        linked_data: Option<String>,
    ) -> Result<String, Problem> {
        let linked_data = linked_data.filter(|_| share.is_some());
        let everything = PageContext { site: self.facts(visitor, share), facts };
        html::text(template, visitor.locale, &everything, &self.shown(true, linked_data))
    }

    fn facts(&self, visitor: &Visitor, share: Option<Share>) -> Facts {
        let business = self.business();
        let lines = business.address.lines().map(str::trim).filter(|line| !line.is_empty());
        let phone = business.phone.as_ref().map(|phone| phone.as_str().to_owned());
        let is_digit = |c: &char| c.is_ascii_digit() || *c == '+';
        let tongue = |locale: Locale, name| LanguageLink {
            code: locale.as_str(),
            name,
            href: visitor.in_language(locale),
            current: visitor.locale == locale,
        };
        Facts {
            name: business.name.clone(),
            initial: initial(&business.name),
            logo: self.logo.as_ref().map(|path| format!("{}{path}", self.root)),
            address_lines: lines.map(str::to_owned).collect(),
            map: map(&business.name, &business.address),
            phone_digits: phone.iter().flat_map(|phone| phone.chars()).filter(is_digit).collect(),
            phone,
            hours: week(self.hours(), visitor.locale),
            tongues: vec![tongue(Locale::En, "English"), tongue(Locale::De, "Deutsch")],
            embed: visitor.embed.clone(),
            share,
        }
    }
}

/// The first letter of a name, shown instead of a missing picture.
pub fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

/// Opening hours by weekday; empty if nobody has hours.
fn week(hours: &[OpenDay], locale: Locale) -> Vec<Day> {
    if hours.iter().all(|day| day.windows.is_empty()) {
        return Vec::new();
    }
    let name = |day: Weekday| weekday(day, locale).to_owned();
    let windows = |day: &OpenDay| day.windows.iter().map(|(from, to)| format!("{from}–{to}")).collect();
    hours.iter().map(|day| Day { name: name(day.weekday), windows: windows(day) }).collect()
}
