//! How lists and pages show a service.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::types::{Label, Locale, Note};
use crate::{Error, Result};

/// A service's position in lists and its translations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDisplay {
    /// Heading under which it is listed.
    pub category: Option<Label>,
    /// Position in lists, 0 to 10,000, ascending; equal ones by name.
    pub position: u32,
    /// Its texts by language; where one is missing, those of the service itself are shown.
    pub translations: BTreeMap<Locale, ServiceText>,
}

/// A service's texts in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceText {
    /// Name.
    pub name: Label,
    /// Plain text, at most 2,000 characters.
    #[serde(default)]
    pub description: Note,
    /// Category; none: that of the service.
    #[serde(default)]
    pub category: Option<Label>,
}

/// Replaces the translations of a service.
pub(super) async fn put_translations(
    tx: &mut PgConnection,
    service_id: Uuid,
    display: &ServiceDisplay,
) -> Result<()> {
    sqlx::query!("DELETE FROM service_translations WHERE service_id = $1", service_id)
        .execute(&mut *tx)
        .await?;
    for (locale, text) in &display.translations {
        sqlx::query!(
            "INSERT INTO service_translations (service_id, locale, name, description, category)
             VALUES ($1, $2, $3, $4, $5)",
            service_id,
            locale.as_str(),
            text.name.as_str(),
            text.description.as_str(),
            text.category.as_ref().map(Label::as_str),
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// From the columns of `services` and the object of `service_translations` by language.
pub(super) fn stored(category: Option<&str>, position: i32, translations: Value) -> Result<ServiceDisplay> {
    let category = category.map(Label::parse).transpose();
    Ok(ServiceDisplay {
        category: category.map_err(|error| Error::internal("services hold a bad value", error))?,
        position: position.unsigned_abs(),
        translations: serde_json::from_value(translations)
            .map_err(|error| Error::internal("service_translations hold a bad value", error))?,
    })
}
