//! Accounts: whoever can log in. Hashing of passwords is the caller's; this stores what it makes.

mod account;
mod login;
mod register;

pub use account::{User, UserPatch, get, update};
pub use login::{LoginUser, find_for_login, password_hash, rehash, set_password};
pub use register::{NewUser, create_admin, register};
