use super::*;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn parse(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let vars = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::parse(vars, |path| match path.to_str() {
        Some("/keys/jwt") => Ok(format!("k1:{KEY}\n")),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    })
}

fn faults(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    parse(pairs).unwrap_err().faults.into_iter().map(|fault| (fault.key, fault.problem)).collect()
}

#[test]
fn an_empty_environment_gives_the_defaults() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.api.listen, "0.0.0.0:8080".parse().unwrap());
    assert_eq!(config.api.refresh_token, Duration::from_hours(30 * 24));
    assert_eq!(config.telemetry.log_format, punctual_telemetry::LogFormat::Json);
    assert_eq!(config.api.cors, CorsOrigins::None);
    assert_eq!(config.database_url().unwrap_err().faults[0].key, "DATABASE_URL");
}

#[test]
fn every_line_of_the_manual_is_a_comment_or_a_key() {
    for line in DEFAULTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, _) = line.split_once('=').expect(line);
        assert!(key.starts_with("PUNCTUAL_") || key.ends_with("_URL"), "{line}");
    }
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_is_meant() {
    let found =
        faults(&[("PUNCTUAL_API_LISTN", "0.0.0.0:1"), ("PUNCTUAL_WHATEVER_ELSE", "1"), ("OTHER", "1")]);
    let want = [
        ("PUNCTUAL_API_LISTN".to_owned(), "is unknown; is PUNCTUAL_API_LISTEN meant?".to_owned()),
        ("PUNCTUAL_WHATEVER_ELSE".to_owned(), "is unknown".to_owned()),
    ];
    assert_eq!(found, want);
}

#[test]
fn all_wrong_values_are_named_at_once_with_what_is_expected() {
    let found = faults(&[
        ("PUNCTUAL_API_LISTEN", "8080"),
        ("PUNCTUAL_WORKER_CONCURRENCY", "0"),
        ("PUNCTUAL_PUBLIC_URL", ""),
        ("PUNCTUAL_LOG", "info,sqlx=loud"),
        ("PUNCTUAL_LOG_FORMAT", "xml"),
        ("PUNCTUAL_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("PUNCTUAL_CORS_ORIGINS", "https://a.example/path"),
    ]);
    let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "PUNCTUAL_PUBLIC_URL",
            "PUNCTUAL_API_LISTEN",
            "PUNCTUAL_TRUSTED_PROXIES",
            "PUNCTUAL_CORS_ORIGINS",
            "PUNCTUAL_WORKER_CONCURRENCY",
            "PUNCTUAL_LOG",
            "PUNCTUAL_LOG_FORMAT"
        ]
    );
    assert_eq!(found[4].1, "is \"0\", expected a whole number from 1 to 1000");
}

#[test]
fn a_share_that_is_no_share_is_asked_for_as_a_number_from_0_to_1() {
    for wrong in ["1.1", "-0.1", "half", "NaN"] {
        let found = faults(&[("PUNCTUAL_TRACE_RATIO", wrong)]);
        assert_eq!(found[0].1, format!("is {wrong:?}, expected a number from 0 to 1 such as 0.25"));
    }
    assert!(parse(&[("PUNCTUAL_TRACE_RATIO", "0.25")]).is_ok());
}

#[test]
fn a_database_url_that_cannot_be_used_is_refused_before_anything_connects() {
    for wrong in [
        "postgres://u:hunter2@h:notaport/d",
        "postgres://u:hunter2@h:99999/d",
        "postgres://u:hunter2@h/d?sslmode=sometimes",
        "postgres://u:hunter/2@h:5432/d",
        "postgres://u:hunter#2@h:5432/d",
    ] {
        let found = faults(&[("DATABASE_URL", wrong)]);
        assert!(
            found[0].1.contains("percent-encoded") && !found[0].1.contains("hunter"),
            "{wrong}: {found:?}"
        );
    }
    for good in ["postgres://u:p%40%2F%23%3F@h:5432/d?sslmode=verify-full", "postgresql://punctual@h/d"] {
        assert!(parse(&[("DATABASE_URL", good)]).is_ok(), "{good}");
    }
}

#[test]
fn the_name_in_ehlo_is_set_or_follows_from_the_public_url() {
    for (pairs, name) in [
        (&[][..], "[127.0.0.1]"),
        (&[("PUNCTUAL_PUBLIC_URL", "https://book.example.org:8443/salon")], "book.example.org"),
        (&[("PUNCTUAL_PUBLIC_URL", "http://192.0.2.1")], "[192.0.2.1]"),
        (&[("PUNCTUAL_PUBLIC_URL", "http://[2001:db8::1]:8080")], "[IPv6:2001:db8::1]"),
        (&[("PUNCTUAL_EHLO_NAME", "mail.example.org")], "mail.example.org"),
        (&[("PUNCTUAL_EHLO_NAME", "[192.0.2.7]")], "[192.0.2.7]"),
    ] {
        assert_eq!(parse(pairs).unwrap().worker.ehlo_name, name);
    }
    for wrong in ["mail.example.org\r\nRSET", "two words", "-a.example", "[1.2.3]", "a..b"] {
        assert_eq!(faults(&[("PUNCTUAL_EHLO_NAME", wrong)])[0].0, "PUNCTUAL_EHLO_NAME", "{wrong:?}");
    }
}

#[test]
fn networks_for_webhooks_are_a_list_and_a_host_without_its_prefix_is_refused() {
    let networks = |text| parse(&[("PUNCTUAL_WEBHOOK_NETWORKS", text)]).unwrap().worker.webhook_networks;
    assert_eq!(networks("").len(), 0);
    let both = networks("10.20.0.0/16, fd00::/8");
    assert_eq!(both.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.20.0.0/16", "fd00::/8"]);
    for wrong in ["10.20.0.1", "10.20.0.0/33", "10.20.0.0/16,", "intranet"] {
        assert_eq!(
            faults(&[("PUNCTUAL_WEBHOOK_NETWORKS", wrong)])[0].0,
            "PUNCTUAL_WEBHOOK_NETWORKS",
            "{wrong:?}"
        );
    }
}

#[test]
fn a_sandbox_has_an_inbox_and_no_relay() {
    let with = |url| parse(&[("PUNCTUAL_SANDBOX", "on"), ("SMTP_URL", url)]);
    for url in ["smtp://127.0.0.1:1025", "smtp://localhost:25", "smtp://[::1]:1025", "smtp://mailpit:1025"] {
        assert!(with(url).unwrap().sandbox, "{url}");
    }
    for url in [
        "smtp://mail.example.org:25",
        "smtps://127.0.0.1:465",
        "smtp+starttls://localhost:587",
        "smtp://me:hunter2@127.0.0.1:25",
        "smtp://127.0.0.1.example.org:25",
        "smtp://192.168.0.1:25",
    ] {
        let found = with(url).unwrap_err().faults;
        let said = &found[0].problem;
        assert!(found[0].key == "SMTP_URL" && said.contains("PUNCTUAL_SANDBOX=on"), "{url}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(!parse(&[("SMTP_URL", "smtps://mail.example.org")]).unwrap().sandbox);
}

#[test]
fn more_failed_logins_to_one_account_than_the_standard_allows_are_refused() {
    assert!(parse(&[("PUNCTUAL_LIMIT_LOGIN_ACCOUNT", "100/1d")]).is_ok());
    assert!(parse(&[("PUNCTUAL_LIMIT_LOGIN_ACCOUNT", "off")]).is_ok());
    let found = faults(&[("PUNCTUAL_LIMIT_LOGIN_ACCOUNT", "101/1d")]);
    assert_eq!((found[0].0.as_str(), found.len()), ("PUNCTUAL_LIMIT_LOGIN_ACCOUNT", 1));
}

#[test]
fn a_secret_is_never_printed() {
    let wrong =
        parse(&[("DATABASE_URL", "mysql://u:hunter2@h/d"), ("PUNCTUAL_JWT_KEYS", "k1:hunter2")]).unwrap_err();
    assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    assert_eq!(wrong.faults.len(), 2);
    let config =
        parse(&[("DATABASE_URL", "postgres://u:hunter2@h/d"), ("PUNCTUAL_JWT_KEYS", &format!("k1:{KEY}"))]);
    let shown = format!("{:?}", config.unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("48, 49"), "{shown}");
}

#[test]
fn a_secret_comes_from_a_file_but_not_from_two_places() {
    let config = parse(&[("PUNCTUAL_JWT_KEYS_FILE", "/keys/jwt")]).unwrap();
    assert_eq!(config.jwt_keys().unwrap().signing().name, "k1");
    let both = faults(&[("PUNCTUAL_JWT_KEYS_FILE", "/keys/jwt"), ("PUNCTUAL_JWT_KEYS", "x")]);
    assert_eq!(both[0].0, "PUNCTUAL_JWT_KEYS_FILE");
    let away = faults(&[("PUNCTUAL_LINK_KEYS_FILE", "/keys/none")]);
    assert!(away[0].1.contains("cannot be read"), "{away:?}");
}

#[test]
fn keys_of_a_machine_of_ones_own_are_refused_in_public() {
    let keys = Keys::write_local(1, &[7; 32]);
    assert!(parse(&[("PUNCTUAL_JWT_KEYS", &keys)]).is_ok());
    assert!(parse(&[("PUNCTUAL_JWT_KEYS", &keys), ("PUNCTUAL_PUBLIC_URL", "http://[::1]:8080")]).is_ok());
    for public in ["https://book.example.org", "https://localhost.example.org"] {
        let found = faults(&[("PUNCTUAL_JWT_KEYS", &keys), ("PUNCTUAL_PUBLIC_URL", public)]);
        assert!(found[0].1.contains("not on localhost"), "{found:?}");
    }
}

#[test]
fn the_first_key_signs_and_all_verify() {
    let config = parse(&[("PUNCTUAL_LINK_KEYS", &format!("new:{KEY}, old:{KEY}"))]).unwrap();
    let keys = config.link_keys().unwrap();
    assert_eq!(keys.signing().name, "new");
    assert!(keys.named("old").is_some() && keys.named("other").is_none());
    assert!(faults(&[("PUNCTUAL_LINK_KEYS", &format!("a:{KEY},a:{KEY}"))])[0].1.contains("twice"));
}

#[test]
fn a_network_contains_its_addresses_and_no_other() {
    let net: Network = "10.1.0.0/16".parse().unwrap();
    assert!(net.contains("10.1.255.1".parse().unwrap()) && net.contains("::ffff:10.1.2.3".parse().unwrap()));
    assert!(!net.contains("10.2.0.1".parse().unwrap()) && !net.contains("::1".parse().unwrap()));
    let all: Network = "0.0.0.0/0".parse().unwrap();
    assert!(all.contains("203.0.113.9".parse().unwrap()));
    let one: Network = "fd00::1".parse().unwrap();
    assert!(one.contains("fd00::1".parse().unwrap()) && !one.contains("fd00::2".parse().unwrap()));
}
