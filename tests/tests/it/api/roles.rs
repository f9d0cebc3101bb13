//! Every operation of the document as every persona and with every scope.

use chrono::TimeDelta;
use punctual_api::{contract::Access, operations};
use punctual_core::api_keys::{Scope, Scopes};
use punctual_core::types::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::TestApi;
use super::test_api::Session;

/// A caller of operations.
struct Persona {
    name: &'static str,
    session: Option<Session>,
    /// The role that the token says; none: a guest.
    told: Option<Role>,
    /// The role that the account has.
    has: Role,
    /// Whether the session has ended.
    ended: bool,
    /// Whether the token is none of ours, or has expired.
    invalid: bool,
}

impl Persona {
    fn new(name: &'static str, session: Session, role: Role) -> Self {
        Self { name, session: Some(session), told: Some(role), has: role, ended: false, invalid: false }
    }

    /// The status of a request that nothing else is wrong with than its parameters.
    fn expected(&self, access: Access, asks: bool) -> u16 {
        let lets_in = |role: Role| match access {
            Access::Public | Access::Guests => true,
            Access::Roles(roles) => roles.contains(&role),
        };
        match self.told {
            _ if self.invalid => 401,
            None if matches!(access, Access::Roles(_)) => 401,
            Some(told) if !lets_in(told) => 403,
            Some(told) if (asks || told != Role::Customer) && self.ended => 401,
            Some(told) if (asks || told != Role::Customer) && !lets_in(self.has) => 403,
            None | Some(_) => 400,
        }
    }
}

async fn personas(api: &TestApi) -> Vec<Persona> {
    let expired = api.somebody("admin").await;
    api.clock.advance(TimeDelta::minutes(16));
    let logged_out = |name, session, role| Persona { ended: true, ..Persona::new(name, session, role) };
    let (left, gone) = (api.somebody("admin").await, api.somebody("customer").await);
    let out = json!({ "refresh_token": left.refresh });
    assert_eq!(api.post("/v1/auth/logout", None, &out).await.status, 204);
    let gone_id = api.get("/v1/me", Some(&gone)).await.body["id"].as_str().unwrap().to_owned();
    let execute = async |statement: &'static str, id: &str| {
        let id: uuid::Uuid = id.parse().unwrap();
        sqlx::query(statement).bind(id).execute(api.database.pool()).await.unwrap();
    };
    execute("DELETE FROM users WHERE id = $1", &gone_id).await;
    let admin = api.somebody("admin").await;
    let former = api.somebody("staff").await;
    let former_id = api.get("/v1/me", Some(&former)).await.body["id"].clone();
    let member = api.post("/v1/staff", Some(&admin), &json!({ "name": "Maria", "user_id": former_id })).await;
    assert_eq!(member.status, 201, "{}", member.body);
    let path = format!("/v1/staff/{}", member.body["id"].as_str().unwrap());
    let inactive = json!({ "active": false });
    assert_eq!(api.write(Method::PATCH, &path, &admin, Some(&inactive)).await.status, 200);
    let demoted = api.somebody("admin").await;
    let demoted_id = api.get("/v1/me", Some(&demoted)).await.body["id"].as_str().unwrap().to_owned();
    execute("UPDATE users SET role = 'customer' WHERE id = $1", &demoted_id).await;
    let verified = api.somebody("customer").await;
    let verified_id = api.get("/v1/me", Some(&verified)).await.body["id"].as_str().unwrap().to_owned();
    execute("UPDATE users SET email_verified_at = created_at WHERE id = $1", &verified_id).await;
    let made_up = Session { access: "x.y.z".to_owned(), refresh: String::new() };
    let guest = Persona::new("guest", made_up, Role::Customer);
    let made_up = Session { access: "x.y.z".to_owned(), refresh: String::new() };
    vec![
        Persona { session: None, told: None, ..guest },
        Persona::new("customer", api.somebody("customer").await, Role::Customer),
        Persona::new("staff", api.somebody("staff").await, Role::Staff),
        Persona::new("front desk", api.somebody("front_desk").await, Role::FrontDesk),
        Persona::new("admin", admin, Role::Admin),
        Persona::new("verified customer", verified, Role::Customer),
        Persona { invalid: true, ..Persona::new("made-up token", made_up, Role::Admin) },
        Persona { invalid: true, ..Persona::new("expired token", expired, Role::Admin) },
        logged_out("logged out", left, Role::Admin),
        logged_out("erased", gone, Role::Customer),
        logged_out("former staff", former, Role::Staff),
        Persona { has: Role::Customer, ..Persona::new("demoted", demoted, Role::Admin) },
    ]
}

#[tokio::test]
async fn every_operation_allows_exactly_the_declared_roles() {
    let api = TestApi::start().await;
    let document = api.get("/openapi.json", None).await.body;
    let personas = personas(&api).await;
    let keys = keys(&api, personas[4].session.as_ref().unwrap()).await;
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let entry = operations().find(|entry| entry.id == id).unwrap();
            let verb = method.to_uppercase();
            let mut roles = Vec::new();
            for persona in &personas {
                // No parameter and no body fits, so that whoever is let in changes nothing.
                let steps: Vec<_> =
                    path.split('/').map(|step| if step.starts_with('{') { "none" } else { step }).collect();
                let path = steps.join("/");
                let method = Method::from_bytes(verb.as_bytes()).unwrap();
                let request = api.request(method, &path).query(&[("none", "none")]);
                let request = match &persona.session {
                    Some(session) => request.bearer_auth(&session.access),
                    None => request,
                };
                let status = api.send(request).await.status.as_u16();
                let want = persona.expected(entry.access, verb != "GET" || entry.current);
                assert_eq!(status, want, "{id} as {}", persona.name);
                let told = match persona.name {
                    "customer" | "staff" | "admin" => persona.name,
                    "front desk" => "front_desk",
                    _ => "",
                };
                roles.extend((status == 400 && !told.is_empty()).then_some(told));
                walked += 1;
            }
            // The document says who was let in.
            let mut who = Vec::new();
            if matches!(entry.access, Access::Roles(_)) {
                who.push(format!("Roles: {}.", roles.join(", ")));
            }
            let scope = scope_found(&api, &keys, &verb, path).await;
            who.extend(scope.map(|scope| format!("API keys: scope `{scope}`.")));
            let description = operation["description"].as_str().unwrap_or_default();
            let found = description
                .rsplit("\n\n")
                .next()
                .filter(|last| last.starts_with("Roles: ") || last.starts_with("API keys: "));
            assert_eq!(found.unwrap_or_default(), who.join(" "), "{id}");
        }
    }
    assert_eq!(walked, operations().count() * personas.len());
    assert_eq!(document["openapi"], Value::from("3.0.3"));
}

/// One API key for each scope.
async fn keys(api: &TestApi, admin: &Session) -> Vec<(Scope, String)> {
    let mut keys = Vec::new();
    for scope in Scope::ALL {
        let wish = json!({ "name": scope.as_str(), "scopes": [scope.as_str()] });
        let made = api.post("/v1/api-keys", Some(admin), &wish).await;
        keys.push((scope, made.body["key"].as_str().unwrap().to_owned()));
    }
    keys
}

/// The scope that lets an API key in, as it is found: no other key may pass but one with the right to write there.
async fn scope_found(
    api: &TestApi,
    keys: &[(Scope, String)],
    method: &str,
    path: &str,
) -> Option<&'static str> {
    let steps = path.split('/').map(|step| if step.starts_with('{') { "none" } else { step });
    let url = steps.collect::<Vec<_>>().join("/");
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut passed = Vec::new();
    for (scope, key) in keys {
        let request = api.request(method.clone(), &url).query(&[("none", "none")]).bearer_auth(key);
        match api.send(request).await.status.as_u16() {
            400 => passed.push(*scope),
            status => assert_eq!(status, 403, "{method} {path} with {scope}"),
        }
    }
    match passed[..] {
        [] => None,
        [first] => Some(first.as_str()),
        [first, second] => {
            let higher: Scopes = [second].into_iter().collect();
            assert!(higher.grant(first) && method == Method::GET, "{method} {path} {passed:?}");
            Some(first.as_str())
        }
        _ => panic!("{method} {path} lets {passed:?} in"),
    }
}
