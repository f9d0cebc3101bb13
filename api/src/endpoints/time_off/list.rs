use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
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
    views::TimeOff,
};

/// Times at which a member of staff is away.
#[derive(Debug, Object, Serialize)]
pub struct TimeOffList {
    /// By start.
    #[oai(validator(max_items = 100000))]
    data: Vec<TimeOff>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listTimeOff", Access::STAFF).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListTimeOff;

#[OpenApi]
impl ListTimeOff {
    /// List time off
    ///
    /// Every time off that overlaps the range.
    #[oai(
        path = "/v1/staff/:id/time-off",
        method = "get",
        operation_id = "listTimeOff",
        tag = "Tag::Catalogue"
    )]
    async fn list_time_off(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
        /// Beginning of the range.
        from: Query<DateTime<FixedOffset>>,
        /// End of the range, excluded; at most 366 days after its beginning.
        to: Query<DateTime<FixedOffset>>,
    ) -> Result<Found<TimeOffList>, Problem> {
        let within = range::instants(from.0, to.0)?;
        let all = again_if_cut(|| async {
            staff::get(&state.core, id.0).await?;
            hours::time_off(&state.core, id.0, within).await
        });
        Ok(Found::new(TimeOffList { data: all.await?.into_iter().map(TimeOff::from).collect() }))
    }
}
