//! What staff do meanwhile: they answer those who wait for them, and judge some of the appointments that are over.

use reqwest::Method;
use serde_json::Value;

use super::person::judge;
use super::world::World;
use super::{Deeds, Result};
use crate::dice::Dice;

/// One of the pending bookings is confirmed or declined, and one of those that are over judged, if there are any.
pub(super) async fn act(world: &World, mut dice: Dice) -> Result<Deeds> {
    let mut deeds = Deeds::default();
    let answer = if dice.below(5) == 0 { "decline" } else { "confirm" };
    let pending = list(world, "status=pending").await?;
    if let Some(booking) = dice.pick(&pending) {
        change(world, booking, answer, &mut deeds).await?;
    }
    let over =
        list(world, &format!("status=confirmed&to={}", world.now().format("%Y-%m-%dT%H:%M:%SZ"))).await?;
    if let Some(booking) = dice.pick(&over).filter(|_| dice.below(2) == 0) {
        let verdict = if dice.below(4) == 0 { "no-show" } else { "complete" };
        change(world, booking, verdict, &mut deeds).await?;
    }
    Ok(deeds)
}

async fn list(world: &World, which: &str) -> Result<Vec<Value>> {
    let path = format!("/v1/bookings?{which}&limit=20");
    let answer = world.ask(Method::GET, &path, Some(world.admin()), None, None).await?;
    let data = answer.body["data"].as_array().cloned();
    data.ok_or_else(|| format!("{path}: {}", answer.body).into())
}

async fn change(world: &World, booking: &Value, what: &str, deeds: &mut Deeds) -> Result<()> {
    let path = format!("/v1/bookings/{}/{what}", booking["id"].as_str().unwrap_or_default());
    let rev = Some(("if-match", format!("\"{}\"", booking["rev"])));
    let answer = world.ask(Method::POST, &path, Some(world.admin()), rev, None).await?;
    judge(what, &answer, deeds);
    Ok(())
}
