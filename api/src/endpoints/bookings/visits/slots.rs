use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{
    Error,
    slots::{self, VisitQuery, VisitService},
};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Place, Problem},
        reply::Found,
    },
    state::State,
    views::VisitSlots,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listVisitSlots", Access::Public).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListVisitSlots;

#[OpenApi]
impl ListVisitSlots {
    /// List free starts of a visit
    ///
    /// The starts at which several services can be booked one after the other, with who would perform each and when.
    #[oai(path = "/v1/visit-slots", method = "get", operation_id = "listVisitSlots", tag = "Tag::Slots")]
    async fn list_visit_slots(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The services in order; repeat the parameter.
        #[oai(validator(min_items = 1, max_items = 5))]
        service_id: Query<Vec<Uuid>>,
        /// Who is to perform them: one for each service, in the same order, or absent. The nil UUID means anyone.
        #[oai(validator(min_items = 1, max_items = 5))]
        staff_id: Query<Option<Vec<Uuid>>>,
        /// First date.
        from: Query<NaiveDate>,
        /// Last date, at most 6 days after the first.
        to: Query<NaiveDate>,
    ) -> Result<Found<VisitSlots>, Problem> {
        let staff_ids = staff_id.0.unwrap_or_else(|| vec![Uuid::nil(); service_id.0.len()]);
        if staff_ids.len() != service_id.0.len() {
            let expected = "is given once for each service_id, or not at all";
            return Err(Problem::invalid_at(Place::Query, "/staff_id", "conflict", expected));
        }
        let services = service_id.0.into_iter().zip(staff_ids).map(|(service_id, staff_id)| VisitService {
            service_id,
            staff_id: (!staff_id.is_nil()).then_some(staff_id),
        });
        let query = VisitQuery { services: services.collect(), from: from.0, to: to.0 };
        let list = slots::visit_slots(&state.core, &query).await.map_err(of_query)?;
        Ok(Found::new(list.into()))
    }
}

/// What core finds wrong stands in the query here.
fn of_query(error: Error) -> Problem {
    match error {
        Error::Invalid { pointer, error } => {
            let pointer = if pointer == "/services" { "/service_id" } else { pointer };
            Problem::invalid_at(Place::Query, pointer, error.code, error.message)
        }
        error => error.into(),
    }
}
