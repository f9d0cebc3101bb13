//! Handing mails to the relay, step by step: lettre's transport hides the final dot, and the dot is what counts here.
//!
//! lettre's feature `tracing` must stay off: it logs whole mails.

mod address;
mod breaker;
mod failure;
mod relay;
mod session;
mod settings;
mod trace;

pub use address::{BadAddress, RelayAddress};
pub use breaker::{Breaker, Permit};
pub use failure::{Failure, Step, Verdict};
pub use relay::Relay;
pub use session::{Reply, Session};
pub use settings::Timeouts;
