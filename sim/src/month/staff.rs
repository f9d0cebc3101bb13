//! Actions of staff: they confirm or decline pending bookings, and mark some past ones.

use reqwest::Method;
use serde_json::Value;

use super::customer::record;
use super::simulation::Simulation;
use super::{Outcome, Result};
use crate::dice::Dice;

/// Confirms or declines one pending booking and marks one past appointment, if there are any.
pub(super) async fn act(simulation: &Simulation, mut dice: Dice) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let answer = if dice.below(5) == 0 { "decline" } else { "confirm" };
    let pending = list(simulation, "status=pending").await?;
    if let Some(booking) = dice.pick(&pending) {
        change(simulation, booking, answer, &mut outcome).await?;
    }
    let over =
        list(simulation, &format!("status=confirmed&to={}", simulation.now().format("%Y-%m-%dT%H:%M:%SZ")))
            .await?;
    if let Some(booking) = dice.pick(&over).filter(|_| dice.below(2) == 0) {
        let action = if dice.below(4) == 0 { "no-show" } else { "complete" };
        change(simulation, booking, action, &mut outcome).await?;
    }
    Ok(outcome)
}

async fn list(simulation: &Simulation, which: &str) -> Result<Vec<Value>> {
    let path = format!("/v1/bookings?{which}&limit=20");
    let answer = simulation.request(Method::GET, &path, Some(simulation.admin()), None, None).await?;
    let data = answer.body["data"].as_array().cloned();
    data.ok_or_else(|| format!("{path}: {}", answer.body).into())
}

async fn change(simulation: &Simulation, booking: &Value, what: &str, outcome: &mut Outcome) -> Result<()> {
    let path = format!("/v1/bookings/{}/{what}", booking["id"].as_str().unwrap_or_default());
    let rev = Some(("if-match", format!("\"{}\"", booking["rev"])));
    let answer = simulation.request(Method::POST, &path, Some(simulation.admin()), rev, None).await?;
    record(what, &answer, outcome);
    Ok(())
}
