//! Reading one customer.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::select::select_customers;
use super::{Customer, ExportedCustomer};
use crate::types::Actor;
use crate::{Error, Result};

/// A customer; only staff may read it.
pub async fn get(db: impl PgExecutor<'_>, actor: &Actor, id: Uuid) -> Result<Customer> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let found = select_customers!("customers" "WHERE c.id = $1", id).fetch_optional(db).await?;
    found.map(|found| found.customer).ok_or(Error::NotFound("customer"))
}

/// The customers of an account, oldest first.
pub(crate) async fn of_account(db: &mut PgConnection, user_id: Uuid) -> Result<Vec<ExportedCustomer>> {
    let rows = select_customers!("customers" "WHERE c.user_id = $1 ORDER BY c.created_at, c.id", user_id);
    Ok(rows.fetch_all(db).await?)
}
