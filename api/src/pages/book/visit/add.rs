use poem::{Response, http::StatusCode};
use serde::Serialize;

use super::{super::services, chain, who};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{
        book::{BookPage, Site, Visitor},
        form::Form,
        named,
    },
};

/// `/book/{services}/{who}/add`: which service follows.
pub struct Add;

#[derive(Serialize)]
struct Facts {
    /// Names of the services that are chosen already.
    before: Vec<String>,
    back: String,
    /// URL of the services so far.
    base: String,
    who: String,
    groups: Vec<services::Group>,
}

impl BookPage for Add {
    const OPERATION: &'static Operation = &named("pageAddService");
    const PATTERN: &'static str = "/book/{service}/{who}/add";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let site = Site::of(visitor).await?;
        let chain = chain(visitor, &site.storefront.front)?;
        let who = who(visitor, &chain)?;
        let base = format!("{}book/{}", visitor.visit.root(), chain.ids());
        let groups =
            if chain.may_grow() { services::groups(visitor, &services::offered(&site)) } else { Vec::new() };
        let facts = Facts {
            before: chain.names(visitor.locale),
            back: format!("{base}/{}{}", who.step(), visitor.carry()),
            base,
            who: who.step(),
            groups,
        };
        site.page(visitor, StatusCode::OK, "book/add.html.j2", &facts)
    }

    async fn submit(_: &Visitor, _: Form) -> Result<Response, Problem> {
        Err(Problem::method_not_allowed("GET, HEAD, OPTIONS".to_owned()))
    }
}
