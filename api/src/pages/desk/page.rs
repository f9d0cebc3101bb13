//! A page of the desk: its user, language, and common content.

use std::{future::Future, marker::PhantomData, sync::Arc};

use poem::{Response, http::StatusCode};
use punctual_core::{
    Core, Error,
    idempotency::IdempotencyKey,
    settings::Business,
    types::{Actor, Locale, Role, Zone},
    users::{self, User},
};
use serde::Serialize;

use super::look;
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{
        Page,
        book::{form_token, initial},
        form::Form,
        html::{self, PageOptions, accepted_language, see_other},
        signed_in::session::{self, SignedIn},
        visit::Visit,
    },
    views::StorefrontPages,
};

/// A message and its ARIA role: `status` for success, `alert` for errors.
pub(super) type Notice = Option<(&'static str, &'static str)>;

/// The user of a page: staff or an administrator.
pub(super) struct Desk {
    pub visit: Visit,
    pub who: SignedIn,
    pub user: User,
    pub locale: Locale,
    /// The language of the URL; links keep it.
    requested_locale: Option<Locale>,
    /// None before the business is set up.
    storefront: Option<Arc<StorefrontPages>>,
}

/// A page of the desk.
pub(super) trait DeskPage: Send + Sync + 'static {
    /// Name in the metrics.
    const OPERATION: &'static Operation;
    /// Path pattern in the log.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool = false;
    /// Whether only administrators may see it.
    const ADMIN: bool = false;

    /// Renders the page. Changes nothing.
    fn show(desk: &Desk) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Executes its form.
    fn submit(_: &Desk, _: Form) -> impl Future<Output = Result<Response, Problem>> + Send {
        async { Err(Problem::new(Code::NotFound)) }
    }
}

/// A [`DeskPage`] behind the login.
pub(super) struct LoginRequired<P>(PhantomData<P>);

impl<P: DeskPage> Page for LoginRequired<P> {
    const OPERATION: &'static Operation = P::OPERATION;
    const PATTERN: &'static str = P::PATTERN;
    const POSTS: bool = P::POSTS;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let desk = match Desk::of(visit, P::ADMIN).await? {
            Ok(desk) => desk,
            Err(refusal) => return Ok(refusal),
        };
        let answer = P::show(&desk).await;
        desk.told(answer)
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let desk = match Desk::of(visit, P::ADMIN).await? {
            Ok(desk) => desk,
            Err(refusal) => return Ok(refusal),
        };
        if form.text("form_token") != Some(&desk.who.token.form_token()) {
            return desk.told(Err(Problem::new(Code::Forbidden)));
        }
        let answer = P::submit(&desk, form).await;
        desk.told(answer)
    }
}

#[derive(Serialize)]
struct PageContext<'a, F: Serialize> {
    desk: Facts<'a>,
    #[serde(flatten)]
    facts: &'a F,
}

/// Data of the layout.
#[derive(Serialize)]
struct Facts<'a> {
    business: &'a str,
    initial: String,
    logo: Option<String>,
    name: &'a str,
    admin: bool,
    ready: bool,
    form_token: String,
    style: &'static str,
    /// Path of the page, for the links to other languages.
    tongues: Vec<LanguageLink>,
    /// The section of the desk that the page belongs to.
    part: &'a str,
    notice: Option<&'a str>,
    notice_role: &'a str,
}

#[derive(Serialize)]
struct LanguageLink {
    code: &'static str,
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Serialize)]
struct ErrorContext {
    kind: &'static str,
    /// Whether the account may not see it.
    other_account: bool,
}

impl Desk {
    /// The user, or an answer: the login without a session, an error page for an account without access.
    async fn of(visit: Visit, for_admin: bool) -> Result<Result<Self, Response>, Problem> {
        let state = &visit.state;
        let Some(who) = session::of(state, &visit.headers).await? else {
            return Ok(Err(to_login(&visit)));
        };
        let user = users::get(&state.core.pool, who.user_id).await?;
        let storefront = match state.storefronts.read(&state.core, &state.slots).await {
            Ok(storefront) => Some(storefront),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let requested_locale = visit.query_param("lang").and_then(|text| Locale::parse(text).ok());
        let locale = requested_locale.or(user.locale).unwrap_or_else(|| accepted_language(&visit.headers));
        let desk = Self { visit, who, user, locale, requested_locale, storefront };
        let allowed = if for_admin { desk.is_admin() } else { desk.who.actor().is_staff() };
        if !allowed {
            let facts = ErrorContext { kind: "desk_forbidden", other_account: true };
            return Ok(Err(desk.page(StatusCode::FORBIDDEN, "desk/error.html.j2", "", None, &facts)?));
        }
        if desk.storefront.is_none() && !for_admin {
            let location = if desk.is_admin() { "desk/business" } else { "desk/logout" };
            let root = desk.visit.root();
            return Ok(Err(see_other(&format!("{root}{location}{}", desk.carry()))));
        }
        Ok(Ok(desk))
    }

    /// Database and clock.
    pub fn core(&self) -> &Core {
        &self.visit.state.core
    }

    /// The actor of use cases.
    pub const fn actor(&self) -> Actor {
        self.who.actor()
    }

    /// Whether the user is an administrator.
    pub fn is_admin(&self) -> bool {
        self.who.role == Role::Admin
    }

    /// The current business.
    ///
    /// # Errors
    /// `not_found` before it is set up.
    pub fn front(&self) -> Result<&StorefrontPages, Problem> {
        Ok(self.storefront.as_deref().ok_or(Error::NotFound("business"))?)
    }

    /// The business's settings.
    ///
    /// # Errors
    /// `not_found` before it is set up.
    pub fn business(&self) -> Result<&Business, Problem> {
        Ok(&self.front()?.front.business)
    }

    /// The business's zone.
    ///
    /// # Errors
    /// `not_found` before it is set up.
    pub fn zone(&self) -> Result<Zone, Problem> {
        Ok(self.business()?.zone)
    }

    /// A new token for a form that adds something.
    pub fn submission_token(&self) -> String {
        form_token::new(&self.visit.state.links, self.core().now())
    }

    /// The idempotency key in the token of such a form: sent twice, it adds once.
    ///
    /// # Errors
    /// `link_void` for an invalid or expired token.
    pub fn submission_key(&self, form: &Form) -> Result<IdempotencyKey, Problem> {
        let token = form.text("token").unwrap_or_default();
        form_token::key(&self.visit.state.links, self.core().now(), token)
    }

    /// The query that links keep: `?lang=de`, or nothing.
    pub fn carry(&self) -> String {
        self.carry_with(&[])
    }

    /// The same with further parameters.
    pub fn carry_with(&self, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(locale) = self.requested_locale {
            query.append_pair("lang", locale.as_str());
        }
        query.extend_pairs(more);
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// A link to a page: its path below `/desk`, empty or with a leading slash.
    pub fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        format!("{}desk{path}{}", self.visit.root(), self.carry_with(more))
    }

    /// Redirects after an accepted form.
    pub fn go(&self, path: &str, more: &[(&str, &str)]) -> Response {
        see_other(&self.link(path, more))
    }

    /// Renders a page; `part` is its section of the desk.
    ///
    /// # Errors
    /// `internal_error` if the template fails.
    pub fn page(
        &self,
        status: StatusCode,
        template: &str,
        part: &str,
        notice: Notice,
        facts: &impl Serialize,
    ) -> Result<Response, Problem> {
        let root = self.visit.root();
        let front = self.storefront.as_ref().map(|storefront| &storefront.front);
        let business = front.map_or("Punctual", |front| front.business.name.as_str());
        let logo = front.and_then(|front| front.logo.as_ref());
        let tongue = |locale: Locale, name| LanguageLink {
            code: locale.as_str(),
            name,
            href: self.in_language(locale),
            current: self.locale == locale,
        };
        let desk = Facts {
            business,
            initial: initial(business),
            logo: logo.map(|tag| format!("{root}look/logo?v={tag}")),
            name: self.user.name.as_str(),
            admin: self.is_admin(),
            ready: front.is_some() && self.who.actor().is_staff(),
            form_token: self.who.token.form_token(),
            style: look::version(),
            tongues: vec![tongue(Locale::En, "English"), tongue(Locale::De, "Deutsch")],
            part,
            notice: notice.map(|(words, _)| words),
            notice_role: notice.map_or("status", |(_, role)| role),
        };
        let shown = PageOptions {
            accent: front.and_then(|front| front.business.accent_colour),
            root: &root,
            carry: &self.carry(),
            desk: true,
            ..PageOptions::default()
        };
        html::show(status, template, self.locale, &PageContext { desk, facts }, &shown)
    }

    /// This page in another language.
    fn in_language(&self, locale: Locale) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("lang", locale.as_str());
        let query_now = self.visit.query();
        let kept = form_urlencoded::parse(query_now.as_bytes())
            .filter(|(name, _)| !matches!(name.as_ref(), "lang" | "done"));
        query.extend_pairs(kept);
        format!("?{}", query.finish())
    }

    /// Renders a client error as a page; server errors are passed on to be logged.
    fn told(&self, answer: Result<Response, Problem>) -> Result<Response, Problem> {
        let problem = match answer {
            Err(problem) if problem.code.status().is_client_error() => problem,
            answer => return answer,
        };
        let kind = match problem.code {
            Code::Forbidden => "desk_not_yours",
            Code::NotFound => "desk_not_found",
            Code::LinkVoid | Code::IdempotencyKeyReused => "desk_old_form",
            Code::TooManyRequests => "error_busy",
            _ => "desk_refused",
        };
        let facts = ErrorContext { kind, other_account: false };
        self.page(problem.code.status(), "desk/error.html.j2", "", None, &facts)
    }
}

fn to_login(visit: &Visit) -> Response {
    let language = visit.query_param("lang").and_then(|text| Locale::parse(text).ok());
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(locale) = language {
        query.append_pair("lang", locale.as_str());
    }
    query.append_pair("next", &visit.steps().join("/"));
    see_other(&format!("{}desk/login?{}", visit.root(), query.finish()))
}
