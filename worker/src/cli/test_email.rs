use std::time::Duration;

use punctual_core::config::{Config, Secret};
use punctual_core::pool::{self, PoolSettings};
use punctual_core::types::EmailAddress;
use punctual_core::{Core, mail_relay, migrate, sandbox, settings};
use punctual_queue::{Wake, new_id};

use super::Failure;
use crate::mails::{Signer, compose_test};
use crate::smtp::{Relay, RelayAddress, Timeouts};

/// Sends a test mail from the business to `address`, without a ledger row, and prints the relay's reply. If it is
/// accepted, the open circuits of the workers close and all mails that wait for the relay are released.
pub async fn run(config: &Config, address: &EmailAddress) -> Result<(), Failure> {
    let relay_address = RelayAddress::parse(config.smtp_url()?.expose())?;
    let settings = PoolSettings {
        program: "punctual-worker test-email",
        connections: 1,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    let mut conn = pool.acquire().await?;
    migrate::check(&mut conn).await?;
    let prefix = punctual_queue::redis_prefix(&mut conn).await?;
    let clock = sandbox::follow_clock(&mut conn, &pool).await?;
    drop(conn);
    let business = settings::get(&pool).await?.into();
    let now = clock.now();
    let mut mail = compose_test(&business, address, new_id(now), now)?;
    if let Some(signer) = Signer::from_config(&config.worker)? {
        mail = signer.sign(mail, now)?;
        println!("signed for {}", mail.sender.domain());
    }
    println!("connecting to {relay_address}");
    let core = Core::new(
        pool,
        clock.clone(),
        Wake::connect_with(config.redis_url.as_ref().map(Secret::expose), &prefix)?,
    );
    let relay_name = relay_address.to_string();
    let relay = Relay::new(relay_address, config.worker.ehlo_name.clone(), Timeouts::default(), 1, clock)?;
    let permit = relay.breaker().try_acquire().map_err(|_| "the circuit is open")?;
    let reply = relay.begin_mail(&mail.sender, &mail.recipient, &permit).await?.send(&mail.bytes).await?;
    println!("sent to {}: {reply}", address.as_str());
    relay.close().await;
    let released = mail_relay::succeeded(&core, &relay_name).await?;
    if released > 0 {
        println!("{released} mails that waited for the mail server are due now");
    }
    core.pool.close().await;
    Ok(())
}
