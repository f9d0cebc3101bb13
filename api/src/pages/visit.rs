use std::{net::IpAddr, sync::Arc};

use poem::{Request, http::HeaderMap};
use punctual_core::{
    Error,
    links::{Link, Purpose},
};

use crate::{
    http::{
        address::ClientAddress,
        problem::{Code, Problem},
    },
    state::State,
};

/// The request of a page.
pub(super) struct Visit {
    pub state: Arc<State>,
    /// The token of the path.
    pub token: String,
    pub headers: HeaderMap,
    /// The client's address, for limits.
    pub address: Option<IpAddr>,
    path: String,
    query: Vec<(String, String)>,
}

impl Visit {
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let state = request.data::<Arc<State>>().cloned().ok_or_else(|| Problem::new(Code::InternalError))?;
        let query = request.uri().query().unwrap_or_default();
        Ok(Self {
            state,
            token: request.raw_path_param("token").unwrap_or_default().to_owned(),
            headers: request.headers().clone(),
            address: request.data::<ClientAddress>().and_then(|address| address.0),
            path: request.uri().path().to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }

    /// The segments of the path.
    pub fn steps(&self) -> Vec<&str> {
        self.path.split('/').filter(|step| !step.is_empty()).collect()
    }

    /// A segment, from 0.
    pub fn step(&self, place: usize) -> Option<&str> {
        self.steps().get(place).copied()
    }

    /// Relative path from the page to the top of the site, which may be below a path of its host.
    pub fn root(&self) -> String {
        match self.steps().len() {
            0 | 1 => "./".to_owned(),
            steps => "../".repeat(steps - 1),
        }
    }

    /// The query, encoded.
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish()
    }

    /// A value of the query.
    pub fn query_param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The link of the token; the use case compares its epoch.
    pub fn link(&self, purpose: Purpose) -> Result<Link, Problem> {
        let token = self.token.as_str();
        let link = Link::verify(&self.state.links, token).filter(|link| link.purpose == purpose);
        link.ok_or_else(|| Error::NotFound("link").into())
    }
}
