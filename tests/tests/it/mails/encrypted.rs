//! A relay that requires encryption and a password: deliveries and error messages.

use punctual_queue::JobState;
use punctual_testkit::Programs;
use punctual_testkit::certificate::Certificate;
use punctual_testkit::smtp_sink::{SmtpSink, TlsAndLogin, Verb};

use super::test_worker::{TestWorker, sent};

const RIGHT: &str = "salon:pa%40ss";

async fn sink(certificate: &Certificate, implicit_tls: bool) -> SmtpSink {
    let certificate = certificate.clone();
    SmtpSink::secured(TlsAndLogin { certificate, implicit_tls, user: "salon", password: "pa@ss" }).await
}

/// Programs that also trust the given authority.
fn programs(setup: &TestWorker, url: &str, authority: Option<&std::path::Path>) -> Programs {
    let programs = Programs::on(setup.salon.database()).smtp(url);
    match authority {
        Some(path) => programs.set("SSL_CERT_FILE", path.to_str().unwrap()),
        None => programs,
    }
}

/// What `setup-email` ends with and says.
fn test_email(programs: &Programs) -> (bool, String) {
    let output = programs.run("worker", &["test-email", "ada@example.org"], "");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_go_through_starttls_and_through_tls_with_the_right_password() {
    let setup = TestWorker::without_worker().await;
    let certificate = Certificate::new();
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), &certificate.authority).unwrap();
    for (scheme, implicit_tls) in [("smtp", false), ("smtp+starttls", false), ("smtps", true)] {
        let sink = sink(&certificate, implicit_tls).await;
        let programs = programs(&setup, &sink.url_as(scheme, RIGHT), Some(authority.path()));
        let (done, said) = test_email(&programs);
        assert!(done && said.contains("sent to ada@example.org: 250 2.0.0 taken"), "{scheme}: {said}");
        let upgrades = usize::from(!implicit_tls);
        assert_eq!(
            (sink.seen(Verb::StartTls), sink.seen(Verb::Auth), sink.journal().len()),
            (upgrades, 1, 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn test_email_reports_the_failed_step() {
    let setup = TestWorker::without_worker().await;
    let certificate = Certificate::new();
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), &certificate.authority).unwrap();
    let (secured, open) = (sink(&certificate, false).await, SmtpSink::start().await);
    let known = Some(authority.path());
    for (url, authority, why) in [
        (secured.url_as("smtp", "salon:wrong"), known, "auth: 535 5.7.8 wrong user or password"),
        (secured.url_as("smtp", RIGHT), None, "certificate"),
        (open.url_as("smtp", RIGHT), known, "starttls"),
        (secured.url_as("smtp", RIGHT).replace("salon:pa%40ss@", ""), known, "mail: 530 5.7.0 who are you?"),
    ] {
        let (done, said) = test_email(&programs(&setup, &url, authority));
        assert!(!done && said.contains(why), "{why}: {said}");
        assert!(!said.contains("pa@ss") && !said.contains("wrong@"), "{said}");
    }
    assert_eq!((secured.journal().len(), open.journal().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_relay_password_counts_no_attempt_and_the_mail_is_sent_after_its_correction() {
    let setup = TestWorker::without_worker().await;
    let certificate = Certificate::new();
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), &certificate.authority).unwrap();
    let relay = sink(&certificate, false).await;
    let wrong = programs(&setup, &relay.url_as("smtp", "salon:Mold1234"), Some(authority.path()));
    let worker = wrong.worker().await;
    let booking = setup.book_soon().await;
    let jobs =
        setup.wait_for_jobs_that(|jobs| jobs[0].snoozes > 0 && jobs[0].state != JobState::Running).await;
    assert_eq!(jobs[0].attempt, 0, "it costs no attempt");
    let row = setup.ledger(&booking).await.remove(0);
    assert_eq!((row.outcome, row.tries, row.doubts, row.dot), (None, jobs[0].snoozes, 0, false));
    assert_eq!(row.reply.as_deref(), Some("auth: 535 5.7.8 wrong user or password"));
    worker.wait_for_log("the mail server failed").await;
    assert!(!worker.log().contains("Mold1234"), "{}", worker.log());
    assert!(worker.stop().await.success());

    let right = programs(&setup, &relay.url_as("smtp", RIGHT), Some(authority.path()));
    let worker = right.worker().await;
    let taken = relay.wait_for_mails(1).await;
    assert!(taken[0].subject.starts_with("Booked: Haircut"));
    let tries = row.tries + 1;
    setup.wait_for_ledger(&booking, &[super::test_worker::Row { tries, ..sent("confirmation") }]).await;
    assert!(worker.stop().await.success());
    assert_eq!(relay.journal().len(), 1);
}
