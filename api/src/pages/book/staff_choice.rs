use punctual_core::{Error, services::Service};
use uuid::Uuid;

use super::Visitor;
use crate::http::problem::Problem;

/// The member of staff, or anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffChoice {
    Anyone,
    Staff(Uuid),
}

impl StaffChoice {
    /// Parses the third segment of the path.
    ///
    /// # Errors
    /// `not_found` for a member of staff who does not perform the service.
    pub fn of(visitor: &Visitor, service: &Service) -> Result<Self, Problem> {
        match visitor.visit.step(2) {
            Some("anyone") => Ok(Self::Anyone),
            step => {
                let id = step.and_then(|text| Uuid::try_parse(text).ok());
                let id = id.filter(|id| service.spec.staff_ids.contains(id));
                Ok(Self::Staff(id.ok_or(Error::NotFound("staff"))?))
            }
        }
    }

    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Anyone => None,
            Self::Staff(id) => Some(id),
        }
    }

    pub fn step(self) -> String {
        self.id().map_or_else(|| "anyone".to_owned(), |id| id.to_string())
    }
}
