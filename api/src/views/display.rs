use std::collections::BTreeMap;

use poem_openapi::Object;
use punctual_core::{
    services::ServiceText,
    types::{Locale, Note},
};
use serde::Serialize;

use crate::http::values::{LabelText, NoteText};

/// A service's texts by language; a language that is absent shows the service's own.
#[derive(Debug, Default, Object, Serialize)]
pub struct Translations {
    /// In English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<Translation>,
    /// In German.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub de: Option<Translation>,
}

/// A service's texts in one language.
#[derive(Debug, Object, Serialize)]
pub struct Translation {
    /// Name shown to customers.
    pub name: LabelText,
    /// Plain text shown to customers; empty when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<NoteText>,
    /// Heading under which it is listed; the service's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<LabelText>,
}

impl From<BTreeMap<Locale, ServiceText>> for Translations {
    fn from(mut texts: BTreeMap<Locale, ServiceText>) -> Self {
        let mut take = |locale| {
            let text = texts.remove(&locale)?;
            Some(Translation {
                name: LabelText(text.name),
                description: Some(NoteText(text.description)),
                category: text.category.map(LabelText),
            })
        };
        Self { en: take(Locale::En), de: take(Locale::De) }
    }
}

impl From<Translations> for BTreeMap<Locale, ServiceText> {
    fn from(sent: Translations) -> Self {
        let text = |sent: Translation| ServiceText {
            name: sent.name.0,
            description: sent.description.map_or_else(Note::empty, |text| text.0),
            category: sent.category.map(|text| text.0),
        };
        let texts = [(Locale::En, sent.en), (Locale::De, sent.de)];
        texts.into_iter().filter_map(|(locale, sent)| Some((locale, text(sent?)))).collect()
    }
}
