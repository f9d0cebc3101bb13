//! The requests: every kind in turn, each time with other parts.

use punctual_testkit::live::Live;
use serde_json::{Value, json};

use super::{bodies, tokens};

const ID: &str = "0196a1f0-7c1e-7000-8000-000000000000";

/// A request.
pub struct Hostile {
    pub bytes: Vec<u8>,
    /// The client closes its side afterwards.
    pub breaks_off: bool,
}

impl Hostile {
    fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), breaks_off: false }
    }

    pub fn is_for_a_page(&self) -> bool {
        let line = self.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        [&b" /m/"[..], b" /u/"].iter().any(|path| line.windows(4).any(|part| part == *path))
    }

    /// Its beginning, for a failed test's output.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(1_000)]).into_owned()
    }
}

/// The parts of the requests.
pub struct Requests {
    admin: String,
    service: String,
    authorizations: Vec<String>,
    values: Vec<Value>,
    texts: Vec<Vec<u8>>,
}

impl Requests {
    pub fn of(live: &Live) -> Self {
        Self {
            admin: live.admin.clone(),
            service: live.service_id.clone(),
            authorizations: tokens::authorizations(&live.customer),
            values: bodies::values(),
            texts: bodies::texts(),
        }
    }

    /// The request with that number.
    pub fn hostile(&self, number: usize) -> Hostile {
        let (kind, turn) = (number % 12, number / 12);
        match kind {
            0 | 1 => Hostile::whole(self.wrong_value(turn * 2 + kind)),
            2 => Hostile::whole(self.wrong_text(turn)),
            3 => self.truncated(turn),
            4 | 5 => Hostile::whole(self.wrong_token(turn * 2 + kind)),
            6 => Hostile::whole(wrong_verb(turn)),
            7 | 8 => Hostile::whole(self.wrong_query(turn * 2 + kind)),
            9 => Hostile::whole(wrong_path(turn)),
            10 => Hostile::whole(self.wrong_header(turn)),
            _ => Hostile::whole(wrong_http(turn)),
        }
    }

    fn post(&self, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\nidempotency-key: k\r\n\
             if-match: *\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{more}\r\n",
            self.admin,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// A valid body except for one field.
    fn wrong_value(&self, turn: usize) -> Vec<u8> {
        let templates = [
            ("/v1/auth/register", json!({ "email": "a@example.org", "password": "12345678", "name": "A" })),
            ("/v1/auth/login", json!({ "email": "a@example.org", "password": "short" })),
            ("/v1/auth/refresh", json!({ "refresh_token": "x" })),
            (
                "/v1/bookings",
                json!({ "service_id": self.service, "start": "1990-05-04T10:00:00Z",
                "contact": { "email": "a@example.org", "name": "A" } }),
            ),
            ("/v1/holds", json!({ "service_id": ID, "start": "2027-05-04T10:00:00Z", "minutes": 5 })),
            ("/v1/services", json!({ "name": "X", "duration_min": 0, "staff_ids": [], "reminders": [] })),
            ("/v1/staff", json!({ "name": "X", "email": "a@example.org", "user_id": ID })),
        ];
        let (path, template) = &templates[turn % templates.len()];
        let turn = turn / templates.len();
        let mut body = template.clone();
        let fields: Vec<String> = template.as_object().unwrap().keys().cloned().collect();
        let field = &fields[turn % fields.len()];
        body[field] = self.values[turn / fields.len() % self.values.len()].clone();
        self.post(path, "", body.to_string().as_bytes())
    }

    fn wrong_text(&self, turn: usize) -> Vec<u8> {
        let paths = ["/v1/auth/login", "/v1/bookings", "/v1/services", "/v1/holds", "/v1/auth/logout"];
        let body = &self.texts[turn / paths.len() % self.texts.len()];
        self.post(paths[turn % paths.len()], "", body)
    }

    /// Ends before its announced length.
    fn truncated(&self, turn: usize) -> Hostile {
        let body = format!("{{\"email\":\"a@example.org\",\"password\":\"{}\"", "x".repeat(turn % 100));
        let whole = self.post("/v1/auth/login", "", body.as_bytes());
        let announced = format!("content-length: {}", body.len());
        let more = format!("content-length: {}", body.len() + 1 + turn % 1_000);
        let text = String::from_utf8_lossy(&whole).replace(&announced, &more);
        // Some end within the head.
        let end = if turn.is_multiple_of(3) { text.len() * (turn % 97) / 97 } else { text.len() };
        Hostile { bytes: text.as_bytes()[..end].to_vec(), breaks_off: true }
    }

    fn wrong_token(&self, turn: usize) -> Vec<u8> {
        let requests = [
            "GET /v1/me",
            "GET /v1/bookings",
            "GET /v1/services",
            "GET /v1/customers",
            "DELETE /v1/closures/2027-05-04",
            "POST /v1/staff",
            "GET /v1/slots",
            "PATCH /v1/business",
        ];
        let request = requests[turn % requests.len()];
        let authorization = &self.authorizations[turn / requests.len() % self.authorizations.len()];
        format!(
            "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {authorization}\r\n\r\n"
        )
        .into()
    }

    fn wrong_query(&self, turn: usize) -> Vec<u8> {
        let many = "a=1&".repeat(500);
        let queries = [
            "x",
            "=",
            "&&&&",
            "from",
            "from=&to=",
            "from=2027-05-04&from=2027-05-05&to=2027-05-06",
            "to=%ff%fe",
            "cursor=%00",
            "from=2027-05-04&to=0001-01-01",
            "from=-0001-01-01&to=9999-12-31",
            "from=262143-12-31&to=262143-12-31",
            "limit=99999999999999999999",
            "limit=-1",
            "limit=1e1",
            "limit=%31%30%30%30",
            "limit=1&limit=2",
            "cursor=AAZRrZ5_wAABlqHwfB5wAIAAAAAAAAAA",
            "cursor=________________________________",
            "status=held&status=' OR 1=1",
            "search=%25%25%25%25",
            "staff_id=../..",
            "service_id[]=1",
            "service_id=%7B%7B7*7%7D%7D",
            "a%5Bb%5D=c",
            &many,
        ];
        let paths = [
            "/v1/slots",
            "/v1/bookings",
            "/v1/services",
            "/v1/customers",
            "/v1/closures",
            "/v1/staff",
            "/healthz",
        ];
        let (path, query) = (paths[turn % paths.len()], queries[turn / paths.len() % queries.len()]);
        let fixed = if path == "/v1/slots" { format!("service_id={}&", self.service) } else { String::new() };
        format!(
            "GET {path}?{fixed}{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
            self.admin
        )
        .into()
    }

    fn wrong_header(&self, turn: usize) -> Vec<u8> {
        let long = "x".repeat(4_000);
        let headers = [
            "content-type: text/plain",
            "content-type: application/json; charset=\"",
            "content-type: application/jsonp",
            "content-encoding: gzip",
            "content-encoding: br, gzip",
            "transfer-encoding: chunked, identity",
            "transfer-encoding: gzip, chunked",
            "expect: 200-ok",
            "upgrade: websocket",
            "connection: upgrade, te",
            "if-match: 3",
            "if-match: \"-1\"",
            "if-match: \"99999999999999999999\"",
            "if-match: \u{1f980}",
            "idempotency-key: ",
            "idempotency-key: \u{1f980}",
            "x-request-id: ' OR 1=1",
            "accept: text/html;q=2",
            "accept-encoding: gzip;q=banana, *;q=-1",
            "accept-language: \u{1f980}",
            "x-forwarded-for: 999.1.1.1, a, , ",
            "x-forwarded-host: evil.example",
            "origin: null",
            "host: evil.example",
            "forwarded: for=\"_x\"",
            "range: bytes=0-",
            "te: trailers, deflate;q=0.5",
            "max-forwards: -1",
            "x-http-method-override: DELETE",
            "cookie: a=b; c=\u{1}",
            "if-none-match: W/\"",
            "if-none-match: \"a\", \"b\", *",
            "content-length: 5",
            "authorization: Basic x",
            &long,
        ];
        let header = headers[turn % headers.len()];
        let header = if header.contains(':') { header.to_owned() } else { format!("x-long: {header}") };
        match turn / headers.len() % 4 {
            0 => self.post("/v1/bookings", &format!("{header}\r\n"), b"{}"),
            1 => self.post("/v1/auth/login", &format!("{header}\r\n"), b"{\"email\":1}"),
            2 => self.post(&format!("/v1/bookings/{ID}/cancel"), &format!("{header}\r\n"), b""),
            _ => {
                format!("GET /v1/nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n").into()
            }
        }
    }
}

fn wrong_verb(turn: usize) -> Vec<u8> {
    let verbs = [
        "DELETE",
        "PUT",
        "PATCH",
        "TRACE",
        "CONNECT",
        "BREW",
        "get",
        "PROPFIND",
        "LINK",
        "A-VERB-THAT-IS-VERY-LONG-INDEED",
    ];
    let paths = [
        "/v1/auth/login",
        "/healthz",
        "/v1/slots",
        "/openapi.json",
        "/docs",
        "/problems/not_found",
        "/m/x",
        "/u/x",
    ];
    let (verb, path) = (verbs[turn % verbs.len()], paths[turn / verbs.len() % paths.len()]);
    format!("{verb} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: application/json\r\n\r\n")
        .into()
}

fn wrong_path(turn: usize) -> Vec<u8> {
    let paths = [
        "/v1/bookings/5",
        "/v1/bookings/..%2f..%2fetc%2fpasswd",
        "/v1/bookings/%00",
        "/v1/services/%ff",
        "//////",
        "/%",
        "/%zz",
        "/v1/staff/' OR 1=1",
        "/v1/staff/\u{1f980}/hours",
        "/problems/..",
        "/problems/%2e%2e%2f",
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/v1/me/../me",
        "/v1;a=b/me",
        "/v1/overrides",
        "/docs/../../etc/passwd",
        "/openapi.json/x",
        "/v2/me",
        "/V1/ME",
        "/v1/me/",
    ];
    let path = paths[turn % paths.len()];
    let path = if (turn / paths.len()).is_multiple_of(2) {
        path.to_owned()
    } else {
        format!("{path}/{}", "a/".repeat(turn % 2_000))
    };
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into()
}

fn wrong_http(turn: usize) -> Vec<u8> {
    let large = |bytes: usize| format!("GET / HTTP/1.1\r\nx-large: {}\r\n\r\n", "x".repeat(bytes));
    let texts = [
        "\r\n\r\n\r\n\r\nNONSENSE\r\n\r\n".to_owned(),
        "GET / HTTP/3.0\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "EHLO example.org\r\nMAIL FROM:<a@example.org>\r\n\r\n".to_owned(),
        "*1\r\n$4\r\nPING\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n: no name\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nfolded: a\r\n b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: x\r\n\0\r\n\r\n".to_owned(),
        "POST /v1/auth/login HTTP/1.1\r\ncontent-length: 1e3\r\n\r\n".to_owned(),
        "POST /v1/auth/login HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n".to_owned(),
        "POST /v1/auth/login HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)),
        large(17_000),
        large(70_000),
    ];
    texts[turn % texts.len()].clone().into_bytes()
}
