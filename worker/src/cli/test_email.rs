use std::time::Duration;

use punctual_core::config::Config;
use punctual_core::pool::{self, PoolSettings};
use punctual_core::types::EmailAddress;
use punctual_core::{migrate, settings};
use punctual_queue::{Clock, ServerClock, new_id};

use super::Failure;
use crate::mails::{Signer, compose_test};
use crate::smtp::{Relay, RelayAddress, Timeouts};

/// Sends a test mail from the business to `address`, without a ledger row, and prints the relay's reply.
pub async fn run(config: &Config, address: &EmailAddress) -> Result<(), Failure> {
    let relay_address = RelayAddress::parse(config.smtp_url()?.expose())?;
    let settings = PoolSettings {
        program: "punctual-worker test-email",
        connections: 1,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    migrate::check(&mut *pool.acquire().await?).await?;
    let business = settings::get(&pool).await?.into();
    let clock = ServerClock::start(&pool).await?;
    let now = clock.now();
    let mut mail = compose_test(&business, address, new_id(now), now)?;
    if let Some(signer) = Signer::from_config(&config.worker)? {
        mail = signer.sign(mail, now)?;
        println!("signed for {}", mail.sender.domain());
    }
    println!("asking {relay_address}");
    let relay = Relay::new(relay_address, config.worker.ehlo_name.clone(), Timeouts::default(), 1, clock)?;
    let reply = relay.begin_mail(&mail.sender, &mail.recipient).await?.send(&mail.bytes).await?;
    println!("sent to {}: {}", address.as_str(), reply);
    relay.close().await;
    Ok(())
}
