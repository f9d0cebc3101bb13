use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{hours, pool::again_if_cut, staff};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::{Tag, range},
    http::{
        params::Query,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::DateOverride,
};

/// Overrides: dates with special hours.
#[derive(Debug, Object, Serialize)]
pub struct DateOverrideList {
    /// By date.
    #[oai(validator(max_items = 366))]
    data: Vec<DateOverride>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listOverrides", Access::Public).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListOverrides;

#[OpenApi]
impl ListOverrides {
    /// List dates with special hours
    ///
    /// Other dates have the weekly hours.
    #[oai(
        path = "/v1/staff/:id/overrides",
        method = "get",
        operation_id = "listOverrides",
        tag = "Tag::Catalogue"
    )]
    async fn list_overrides(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
        /// First date.
        from: Query<NaiveDate>,
        /// Last date, at most 365 days after the first.
        to: Query<NaiveDate>,
    ) -> Result<Found<DateOverrideList>, Problem> {
        range::dates(from.0, to.0)?;
        let all = again_if_cut(|| async {
            staff::get(&state.core, id.0).await?;
            hours::overrides(&state.core, id.0, from.0, to.0).await
        });
        Ok(Found::new(DateOverrideList { data: all.await?.into_iter().map(DateOverride::from).collect() }))
    }
}
