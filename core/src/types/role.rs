//! Roles of accounts.

use serde::{Deserialize, Serialize};

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "user_role", rename_all = "snake_case")]
pub enum Role {
    /// Own bookings only.
    Customer,
    /// All bookings and customers, own hours and time off.
    Staff,
    /// As staff, and hours and time off of everybody.
    FrontDesk,
    /// Everything.
    Admin,
}

impl Role {
    /// The role's name in the API and in tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::FrontDesk => "front_desk",
            Self::Admin => "admin",
        }
    }
}

/// The role of an account of a member of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// [`Role::Staff`].
    Staff,
    /// [`Role::FrontDesk`].
    FrontDesk,
}

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Staff => Self::Staff,
            StaffRole::FrontDesk => Self::FrontDesk,
        }
    }
}
