//! Several services one after the other: their ids stand in the path where that of one stands, with commas.

mod add;
pub(super) mod form;
pub(super) mod times;

use punctual_core::{Error, storefront::Storefront};
use uuid::Uuid;

use super::{Visitor, staff_choice::StaffChoice};
use crate::{http::problem::Problem, pages::chain::Chain};

pub use add::Add;

/// Whether the path is about several services.
pub fn is_asked_for(visitor: &Visitor) -> bool {
    visitor.visit.step(1).is_some_and(|step| step.contains(','))
}

/// The services in the path's second segment.
///
/// # Errors
/// `not_found` for one that cannot be booked, or too many.
pub fn chain<'f>(visitor: &Visitor, front: &'f Storefront) -> Result<Chain<'f>, Problem> {
    let mut services = Vec::new();
    for step in visitor.visit.step(1).unwrap_or_default().split(',') {
        let id = Uuid::try_parse(step).map_err(|_| Error::NotFound("service"))?;
        services.push(front.service(id)?);
    }
    let asked = services.len();
    let chain = Chain::new(services.into_iter());
    if chain.services().len() < asked {
        return Err(Error::NotFound("visit").into());
    }
    Ok(chain)
}

/// The member of staff in the path's third segment, or anyone.
///
/// # Errors
/// `not_found` for somebody who performs none of the services.
fn who(visitor: &Visitor, chain: &Chain<'_>) -> Result<StaffChoice, Problem> {
    match visitor.visit.step(2) {
        Some("anyone") => Ok(StaffChoice::Anyone),
        step => {
            let id = step.and_then(|text| Uuid::try_parse(text).ok());
            let id = id.filter(|id| chain.is_performed_by(*id));
            Ok(StaffChoice::Staff(id.ok_or(Error::NotFound("staff"))?))
        }
    }
}

impl Chain<'_> {
    /// The segment of the path.
    pub fn ids(&self) -> String {
        let ids = self.services().iter().map(|service| service.id.to_string());
        ids.collect::<Vec<_>>().join(",")
    }
}
