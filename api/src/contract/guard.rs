//! Checks every request of an operation before its handler: the caller, the permission, and the parameters against the
//! document.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use poem::{
    Endpoint, Request, Response, Result, Route,
    endpoint::BoxEndpoint,
    http::{Method, StatusCode, header},
};
use poem_openapi::{
    OpenApi,
    registry::{MetaOperationParam, MetaParamIn, MetaSchemaRef, Registry},
};
use serde_json::Value;

use super::{Operation, scope_of, scopes};
use crate::{
    auth::{self, Caller},
    http::{
        address::ClientAddress,
        body,
        params::Pairs,
        problem::{Code, Fault, Place, Problem},
        reply::IDEMPOTENCY_REPLAYED,
    },
    schema::Checker,
    state::State,
    throttle::{Allowance, Fields},
};

/// All operations of `api` as routes, each behind its guard.
///
/// # Panics
/// When an operation is not among `operations`: a bug that every start and every test would show.
#[must_use]
pub fn routes<T: OpenApi>(api: T, operations: impl Iterator<Item = &'static Operation>) -> Route {
    let operations: HashMap<_, _> = operations.map(|operation| (operation.id, operation)).collect();
    let mut described = HashMap::new();
    for path in T::meta().into_iter().flat_map(|api| api.paths) {
        for operation in path.operations {
            described.insert((operation.method.clone(), routed(&path.path)), (path.path.clone(), operation));
        }
    }
    let mut table = HashMap::new();
    api.add_routes(&mut table);
    let mut route = Route::new();
    for (path, endpoints) in table {
        let mut methods = Methods::default();
        for (method, inner) in endpoints {
            let (pattern, meta) = described.remove(&(method.clone(), path.clone())).expect("is described");
            let id = meta.operation_id.unwrap_or_default();
            let operation = operations.get(id).copied().unwrap_or_else(|| panic!("{id} declares no access"));
            let matched = Matched { operation, pattern: pattern.into(), caller: None, limits: None };
            methods.0.insert(
                method.to_string(),
                Guard { matched, params: meta.params, takes_body: meta.request.is_some(), inner },
            );
        }
        route = route.at(path, methods);
    }
    route
}

/// The document's `/a/{b}` as poem-openapi's derive writes it for the router.
fn routed(path: &str) -> String {
    let mut count = 0;
    let steps = path.split('/').map(|step| {
        if step.starts_with('{') {
            count += 1;
            format!(":param{}", count - 1)
        } else {
            step.to_owned()
        }
    });
    steps.collect::<Vec<_>>().join("/")
}

/// The operation that a request reached, for log and metrics.
#[derive(Debug, Clone)]
pub struct Matched {
    /// Its entry in the table.
    pub operation: &'static Operation,
    /// Its path as the document writes it.
    pub pattern: Arc<str>,
    /// The caller, once identified.
    pub caller: Option<Caller>,
    /// The remaining allowance of its limits, if it has any.
    pub limits: Option<Fields>,
}

/// The methods of one path: HEAD is answered by GET; OPTIONS and unknown methods with the list of methods.
#[derive(Default)]
struct Methods(BTreeMap<String, Guard>);

impl Methods {
    fn allow(&self) -> String {
        let mut methods: Vec<&str> = self.0.keys().map(String::as_str).collect();
        if self.0.contains_key("GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}

impl Endpoint for Methods {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        match self.0.get(method.as_str()) {
            Some(guard) => guard.call(request).await,
            None if method == Method::OPTIONS => Ok(Response::builder()
                .status(StatusCode::NO_CONTENT)
                .header(header::ALLOW, self.allow())
                .finish()),
            None => Err(Problem::method_not_allowed(self.allow()).into()),
        }
    }
}

struct Guard {
    matched: Matched,
    params: Vec<MetaOperationParam>,
    takes_body: bool,
    inner: BoxEndpoint<'static>,
}

impl Guard {
    async fn call(&self, mut request: Request) -> Result<Response> {
        let mut matched = self.matched.clone();
        let mut allowance = None;
        let result = match self.authorize(&mut request, &mut allowance).await {
            Ok(caller) => {
                matched.caller = Some(caller);
                self.inner.call(request).await
            }
            Err(problem) => Err(problem.into()),
        };
        if let Some(allowance) = allowance {
            let (status, replayed) = match &result {
                Ok(response) => (response.status(), response.headers().contains_key(IDEMPOTENCY_REPLAYED)),
                Err(error) => (error.status(), false),
            };
            matched.limits = allowance.settle(status.as_u16(), replayed).await;
        }
        match result {
            Ok(mut response) => {
                response.set_data(matched);
                Ok(response)
            }
            Err(mut error) => {
                error.set_data(matched);
                Err(error)
            }
        }
    }

    /// Identifies the caller, counts the request against its limits, checks the role (the account's current one for writes
    /// and staff), then the parameters: only a permitted client gets errors about parameters. Sets `allowance` where a limit
    /// applies: the operation's or that of an API key.
    async fn authorize(
        &self,
        request: &mut Request,
        allowance: &mut Option<Allowance>,
    ) -> Result<Caller, Problem> {
        let state = request.data::<Arc<State>>().cloned().ok_or_else(|| Problem::new(Code::InternalError))?;
        let operation = self.matched.operation;
        let mut caller = auth::identify(&state, request.headers()).await?;
        if caller.key().is_some() || !operation.limits.is_empty() {
            let address = request.data::<ClientAddress>().and_then(|address| address.0);
            *allowance = Some(Allowance::new(Arc::clone(&state), operation.limits, address));
        }
        if let Some(key) = caller.key() {
            if let Some(allowance) = allowance {
                allowance.for_key(key.id).await?;
            }
            scopes::check(scope_of(request.method(), &self.matched.pattern), key.scopes)?;
        }
        operation.access.check(&caller)?;
        if let Some(allowance) = allowance.as_ref().filter(|_| !operation.limits.is_empty()) {
            request.set_data(allowance.clone());
            allowance.for_client().await?;
        }
        let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
        if writes || operation.current || caller.actor().is_staff() {
            caller = auth::as_of_now(&state, caller).await?;
            operation.access.check(&caller)?;
        }
        let pairs = pairs(request.uri().query().unwrap_or_default());
        let faults = self.check_params(state.schemas, request, &pairs);
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        if !self.takes_body {
            body::require_none(request).await?;
        }
        request.set_data(Pairs(pairs));
        request.set_data(caller);
        Ok(caller)
    }

    fn check_params(
        &self,
        schemas: &'static Registry,
        request: &Request,
        pairs: &[(String, String)],
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut query = Checker::new(schemas, Place::Query);
        let mut path = Checker::new(schemas, Place::Path);
        let mut headers = Checker::new(schemas, Place::Header);
        let mut steps = 0;
        for param in &self.params {
            let pointer = format!("/{}", param.name);
            match param.in_type {
                MetaParamIn::Query => {
                    let values: Vec<&str> = pairs
                        .iter()
                        .filter(|(name, _)| *name == param.name)
                        .map(|(_, v)| v.as_str())
                        .collect();
                    check_values(schemas, &mut query, param, &pointer, &values);
                }
                MetaParamIn::Path => {
                    let value = request.raw_path_param(&format!("param{steps}"));
                    steps += 1;
                    check_values(schemas, &mut path, param, &pointer, value.as_slice());
                }
                MetaParamIn::Header => {
                    let all = request.headers().get_all(param.name.as_str());
                    // A value that is not visible ASCII becomes a text that no header's schema accepts.
                    let values: Vec<&str> = all.iter().map(|value| value.to_str().unwrap_or("\0")).collect();
                    check_values(schemas, &mut headers, param, &pointer, &values);
                }
                _ => {}
            }
        }
        for (name, _) in pairs {
            let known =
                |param: &MetaOperationParam| param.in_type == MetaParamIn::Query && param.name == *name;
            if !self.params.iter().any(known) {
                let shown: String = name.chars().take(40).collect();
                query.fault(
                    &format!("/{shown}"),
                    "unknown_parameter",
                    "is not a parameter of this operation",
                );
            }
        }
        for checker in [path, query, headers] {
            faults.extend(checker.finish());
        }
        faults
    }
}

fn check_values(
    schemas: &Registry,
    checker: &mut Checker<'_>,
    param: &MetaOperationParam,
    pointer: &str,
    values: &[&str],
) {
    let (ty, items) = match &param.schema {
        MetaSchemaRef::Inline(schema) => (schema.ty, schema.items.as_deref()),
        MetaSchemaRef::Reference(name) => {
            (schemas.schemas.get(name).map_or("string", |schema| schema.ty), None)
        }
    };
    if values.is_empty() {
        if param.required {
            checker.fault(pointer, "required", "is required");
        }
    } else if ty == "array" {
        let item = items.and_then(|items| match items {
            MetaSchemaRef::Inline(schema) => Some(schema.ty),
            MetaSchemaRef::Reference(name) => schemas.schemas.get(name).map(|schema| schema.ty),
        });
        let values = values.iter().map(|text| value_of(text, item.unwrap_or("string"))).collect();
        checker.check(&Value::Array(values), &param.schema, pointer);
    } else if let [text] = values {
        checker.check(&value_of(text, ty), &param.schema, pointer);
    } else {
        checker.fault(pointer, "duplicate", "is given more than once");
    }
}

/// The text as a JSON value of the schema's type; other text stays a string, which the schema refuses.
fn value_of(text: &str, ty: &str) -> Value {
    let typed = match ty {
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documented_path_is_found_as_the_router_writes_it() {
        assert_eq!(
            routed("/v1/bookings/{id}/notifications/{n}"),
            "/v1/bookings/:param0/notifications/:param1"
        );
        assert_eq!(routed("/v1/slots"), "/v1/slots");
    }
}
