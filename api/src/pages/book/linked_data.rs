//! Structured data for search engines: the business and its services (schema.org, JSON-LD).

use punctual_core::{services::Service, types::Money, wording::decimal};
use serde_json::{Value, json};

use super::{Visitor, site::Site};

/// The business with its services.
pub fn business(site: &Site, visitor: &Visitor, services: &[&Service]) -> String {
    let mut data = provider(site, visitor);
    data["@context"] = "https://schema.org".into();
    let offers = services.iter().map(|service| {
        json!({ "@type": "Offer", "itemOffered": about(service, visitor), "price": price(service),
                "priceCurrency": service.currency.as_str() })
    });
    data["makesOffer"] = offers.collect();
    data.to_string()
}

/// One service.
pub fn service(site: &Site, visitor: &Visitor, service: &Service) -> String {
    let mut data = about(service, visitor);
    data["@context"] = "https://schema.org".into();
    data["provider"] = provider(site, visitor);
    data["offers"] = json!({ "@type": "Offer", "price": price(service), "priceCurrency": service.currency.as_str(),
        "url": address(service, visitor) });
    data.to_string()
}

fn provider(site: &Site, visitor: &Visitor) -> Value {
    let business = site.business();
    let public_url = &visitor.visit.state.public_url;
    let mut data =
        json!({ "@type": "LocalBusiness", "name": business.name, "url": format!("{public_url}/book") });
    if !business.address.is_empty() {
        data["address"] = business.address.lines().map(str::trim).collect::<Vec<_>>().join(", ").into();
    }
    if let Some(phone) = &business.phone {
        data["telephone"] = phone.as_str().into();
    }
    if let Some(logo) = site.logo() {
        data["logo"] = format!("{public_url}/{logo}").into();
        data["image"] = data["logo"].clone();
    }
    let hours = site.hours().iter().flat_map(|day| {
        day.windows.iter().map(|(opens, closes)| {
            json!({ "@type": "OpeningHoursSpecification", "dayOfWeek": format!("https://schema.org/{}", english(day.weekday)),
                    "opens": opens.to_string(), "closes": closes.to_string() })
        })
    });
    let hours: Vec<Value> = hours.collect();
    if !hours.is_empty() {
        data["openingHoursSpecification"] = hours.into();
    }
    data
}

fn about(service: &Service, visitor: &Visitor) -> Value {
    let text = service.spec.text(visitor.locale);
    let mut data =
        json!({ "@type": "Service", "name": text.name.as_str(), "url": address(service, visitor) });
    if !text.description.as_str().is_empty() {
        data["description"] = text.description.as_str().into();
    }
    data
}

fn address(service: &Service, visitor: &Visitor) -> String {
    format!("{}/book/{}/anyone", visitor.visit.state.public_url, service.id)
}

fn price(service: &Service) -> String {
    decimal(Money { minor: service.spec.price_minor, currency: service.currency })
}

fn english(day: chrono::Weekday) -> &'static str {
    punctual_core::wording::weekday(day, punctual_core::types::Locale::En)
}
