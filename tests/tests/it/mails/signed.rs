//! DKIM signatures verified by an independent implementation.

use std::process::Command;

use punctual_testkit::Programs;
use punctual_testkit::require::Tool;

use super::python;
use super::test_worker::TestWorker;

/// Verifies a message's signature with this DNS text; prints the result and the DNS name.
const CHECK: &str = "
import sys, dkim
asked = []
def dns(name, timeout=5):
    asked.append(name.decode())
    return sys.argv[1].encode()
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=dns), *asked)
";

fn openssl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("openssl").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_signed_and_what_reached_the_relay_is_what_was_signed() {
    let Some(key) = openssl(&["genrsa", "2048"]) else {
        Tool::OpenSsl.skip("openssl to make a key with");
        return;
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &key).unwrap();
    let path = file.path().to_str().unwrap();
    let public = openssl(&["rsa", "-in", path, "-pubout"]).unwrap();
    let public: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let published = format!("v=DKIM1; k=rsa; p={public}");

    let setup = TestWorker::without_worker().await;
    setup.book_soon().await;
    let programs = Programs::on(setup.salon.database()).smtp(&setup.sink.url());
    let programs = programs.set("PUNCTUAL_DKIM_KEY_FILE", path).set("PUNCTUAL_DKIM_SELECTOR", "booking");
    let worker = programs.worker().await;
    let taken = setup.sink.wait_for_mails(1).await;
    assert!(worker.stop().await.success());
    let text = String::from_utf8(taken[0].bytes.clone()).unwrap();
    let begin = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=booking;\r\n";
    assert!(text.starts_with(begin), "{text}");

    let check = |message: &str| python::ask("dkim", CHECK, &published, message.as_bytes());
    let Some(said) = check(&text) else { return };
    assert_eq!(said, "True booking._domainkey.example.org.");
    let changes = [
        ("Subject: Booked", "Subject: Cooked"),
        ("Haircut", "Airport"),
        ("Reply-To: ", "Reply-To: x"),
        ("\r\nFrom:", "\r\nList-Unsubscribe: <https://evil.example>\r\nFrom:"),
    ];
    for (from, to) in changes {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        assert!(check(&forged).unwrap().starts_with("False"), "{from} became {to}");
    }
}
