//! Who does something.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Role;

/// The caller of a use case, as established by the api or worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Somebody without an account.
    Guest,
    /// The holder of a booking's manage link: that booking, as its customer.
    Link {
        /// The booking the link is for.
        booking_id: Uuid,
    },
    /// The holder of a link from a mail to staff: that booking, as its member of staff.
    StaffLink {
        /// The booking the link is for.
        booking_id: Uuid,
        /// Their account, if they have one.
        user_id: Option<Uuid>,
    },
    /// An account that has logged in.
    Account {
        /// Its id.
        user_id: Uuid,
        /// Its role.
        role: Role,
    },
    /// A program with an API key, which the api let in by the key's scopes.
    ApiKey {
        /// The key.
        key_id: Uuid,
    },
    /// Punctual itself: periodic jobs.
    System,
}

/// The kind of an actor as the audit trail keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "actor_kind", rename_all = "snake_case")]
pub enum ActorKind {
    /// An account of a customer.
    Customer,
    /// A caller without an account, or the holder of a link.
    Guest,
    /// An account of a member of staff or of the front desk.
    Staff,
    /// An account of an administrator.
    Admin,
    /// Punctual itself.
    System,
    /// A program with an API key.
    ApiKey,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Customer, Self::Guest, Self::Staff, Self::Admin, Self::System, Self::ApiKey];

    /// The name in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Guest => "guest",
            Self::Staff => "staff",
            Self::Admin => "admin",
            Self::System => "system",
            Self::ApiKey => "api_key",
        }
    }
}

impl Actor {
    /// The kind kept in the audit trail.
    #[must_use]
    pub const fn kind(&self) -> ActorKind {
        match self {
            Self::Guest | Self::Link { .. } => ActorKind::Guest,
            Self::Account { role: Role::Customer, .. } => ActorKind::Customer,
            Self::StaffLink { .. } | Self::Account { role: Role::Staff | Role::FrontDesk, .. } => {
                ActorKind::Staff
            }
            Self::Account { role: Role::Admin, .. } => ActorKind::Admin,
            Self::System => ActorKind::System,
            Self::ApiKey { .. } => ActorKind::ApiKey,
        }
    }

    /// The account's id, if there is one.
    #[must_use]
    pub const fn user_id(&self) -> Option<Uuid> {
        match self {
            Self::Account { user_id, .. } => Some(*user_id),
            Self::StaffLink { user_id, .. } => *user_id,
            _ => None,
        }
    }

    /// The id of the account or of the API key, if there is one: for the audit trail, and for whatever one caller has and
    /// no other.
    #[must_use]
    pub const fn caller_id(&self) -> Option<Uuid> {
        match self {
            Self::ApiKey { key_id } => Some(*key_id),
            _ => self.user_id(),
        }
    }

    /// Whether this is staff, the front desk, an administrator, a program or Punctual itself: they may see and change every
    /// booking. The holder of a link from a mail to staff counts as staff for that booking.
    #[must_use]
    pub const fn is_staff(&self) -> bool {
        matches!(
            self,
            Self::System
                | Self::ApiKey { .. }
                | Self::StaffLink { .. }
                | Self::Account { role: Role::Staff | Role::FrontDesk | Role::Admin, .. }
        )
    }

    /// Whether this actor may change the hours and time off of every member of staff: the front desk, administrators,
    /// programs and Punctual itself.
    #[must_use]
    pub const fn manages_calendars(&self) -> bool {
        self.is_admin() || matches!(self, Self::Account { role: Role::FrontDesk, .. })
    }

    /// Whether this is an administrator, a program or Punctual itself.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        matches!(self, Self::System | Self::ApiKey { .. } | Self::Account { role: Role::Admin, .. })
    }
}
