use chrono::NaiveDate;
use poem_openapi::{Object, OpenApi};
use punctual_core::{
    hours::{HOLIDAY_COUNTRIES, public_holidays},
    types::Locale,
};
use serde::Serialize;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Place, Problem},
        reply::Found,
        values::CountryCode,
    },
};

/// The public holidays of a year.
#[derive(Debug, Object, Serialize)]
pub struct PublicHolidays {
    /// By date.
    #[oai(validator(max_items = 40))]
    data: Vec<PublicHoliday>,
}

/// A public holiday.
#[derive(Debug, Object, Serialize)]
pub struct PublicHoliday {
    /// The date.
    date: NaiveDate,
    /// Its name in English.
    #[oai(validator(max_length = 100))]
    name_en: String,
    /// Its name in German.
    #[oai(validator(max_length = 100))]
    name_de: String,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listPublicHolidays", Access::Public);

#[derive(Default)]
pub struct ListPublicHolidays;

#[expect(clippy::unused_async, reason = "an operation is an async function")]
#[OpenApi]
impl ListPublicHolidays {
    /// List public holidays
    ///
    /// Of Austria, France, Germany (with `region` those of a state too) and Switzerland (the four that all cantons keep). They are not
    /// closures: `POST /v1/closures` closes the business on those it keeps.
    #[oai(
        path = "/v1/public-holidays",
        method = "get",
        operation_id = "listPublicHolidays",
        tag = "Tag::Catalogue"
    )]
    async fn list_public_holidays(
        &self,
        /// The country: `AT`, `CH`, `DE` or `FR`.
        country: Query<CountryCode>,
        /// The state, as ISO 3166-2 writes it, such as `DE-BE`; without it only what the whole country keeps.
        #[oai(validator(max_length = 6))]
        region: Query<Option<String>>,
        /// The year, 1995 to 2200.
        #[oai(validator(minimum(value = "1995"), maximum(value = "2200")))]
        year: Query<i32>,
    ) -> Result<Found<PublicHolidays>, Problem> {
        let code = country.0.0.code();
        let Some(known) = HOLIDAY_COUNTRIES.iter().find(|known| known.code == code) else {
            let message = "is not known: AT, CH, DE and FR are";
            return Err(Problem::invalid_at(Place::Query, "/country", "unknown_country", message));
        };
        let Some(holidays) = public_holidays(known.code, region.0.as_deref(), year.0) else {
            let message = "is no region of the country with holidays of its own";
            return Err(Problem::invalid_at(Place::Query, "/region", "unknown_region", message));
        };
        let data = holidays.iter().map(|holiday| PublicHoliday {
            date: holiday.date,
            name_en: holiday.name(Locale::En).to_owned(),
            name_de: holiday.name(Locale::De).to_owned(),
        });
        Ok(Found::new(PublicHolidays { data: data.collect() }))
    }
}
