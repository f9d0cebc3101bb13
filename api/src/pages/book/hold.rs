use poem::Response;
use punctual_core::{Error, bookings, types::Actor};

use super::{BookPage, Visitor, contact::held, error_page};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, html, named},
};

/// `/h/{token}/renew`: extend the hold by ten minutes.
pub struct Renew;

impl BookPage for Renew {
    const OPERATION: &'static Operation = &named("pageRenewHold");
    const PATTERN: &'static str = "/h/{token}/renew";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        Ok(html::see_other(&form(visitor)))
    }

    async fn submit(visitor: &Visitor, _: Form) -> Result<Response, Problem> {
        let hold = held(visitor).await?;
        match bookings::renew_hold(&visitor.visit.state.core, hold.id).await {
            Ok(_) => Ok(html::see_other(&form(visitor))),
            Err(Error::HoldExpired) => {
                let back = (form(visitor), "book_back_form");
                error_page::message(visitor, Code::HoldExpired.status(), "book_renewed_before", None, back)
                    .await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// `/h/{token}/release`: release the hold.
pub struct Release;

impl BookPage for Release {
    const OPERATION: &'static Operation = &named("pageReleaseHold");
    const PATTERN: &'static str = "/h/{token}/release";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        Ok(html::see_other(&form(visitor)))
    }

    async fn submit(visitor: &Visitor, _: Form) -> Result<Response, Problem> {
        let hold = held(visitor).await?;
        // The page's token identifies the hold.
        let actor = Actor::Link { booking_id: hold.id };
        match bookings::release_hold(&visitor.visit.state.core, &actor, true, hold.id).await {
            Ok(()) => {
                let times = format!("{}book/{}/anyone", visitor.visit.root(), hold.service.id);
                Ok(html::see_other(&format!("{times}{}", visitor.carry())))
            }
            // It was booked meanwhile: the form leads to the booking.
            Err(Error::HoldExpired) => Ok(html::see_other(&form(visitor))),
            Err(error) => Err(error.into()),
        }
    }
}

/// Relative URL of the hold's form.
fn form(visitor: &Visitor) -> String {
    format!("../{}{}", visitor.visit.token, visitor.carry())
}
