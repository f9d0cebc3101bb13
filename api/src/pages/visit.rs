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

/// What a page has to know of a request.
pub(super) struct Visit {
    pub state: Arc<State>,
    /// The token of the path.
    pub token: String,
    pub headers: HeaderMap,
    /// Whose visit it is, for limits.
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

    /// The steps of the path.
    pub fn steps(&self) -> Vec<&str> {
        self.path.split('/').filter(|step| !step.is_empty()).collect()
    }

    /// One of them, from 0.
    pub fn step(&self, place: usize) -> Option<&str> {
        self.steps().get(place).copied()
    }

    /// The top of this site as seen from the page: it may stand below a path of its host.
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
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What the token stands for; its epoch is for the use case to compare.
    pub fn link(&self, purpose: Purpose) -> Result<Link, Problem> {
        let token = self.token.as_str();
        let link = Link::verify(&self.state.links, token).filter(|link| link.purpose == purpose);
        link.ok_or_else(|| Error::NotFound("link").into())
    }
}
