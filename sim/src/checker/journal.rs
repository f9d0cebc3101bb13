//! The mail server's messages compared with the ledger.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::{Report, Violation};
use punctual_testkit::smtp_sink::ReceivedMail;

/// Number of rules in [`compare`].
pub(super) const RULES: usize = 3;

#[derive(sqlx::FromRow)]
struct Mail {
    id: Uuid,
    recipient: Option<String>,
    outcome: Option<String>,
    doubts: i16,
    dot: bool,
}

impl Mail {
    /// The allowed number of copies: one if it was sent, one for each attempt in doubt, and possibly one for an attempt
    /// without a recorded result; never more than two. Manual resends are not counted here.
    fn copies(&self) -> (usize, usize) {
        let doubts = usize::try_from(self.doubts).unwrap_or_default();
        match self.outcome.as_deref() {
            Some("sent") => (1, (1 + doubts).min(2)),
            None if self.dot => (0, (1 + doubts).min(2)),
            _ => (0, doubts.min(2)),
        }
    }
}

/// Every accepted message belongs to a ledger row and its recipient; every mail has the number of copies that its
/// outcome allows.
pub(super) async fn compare(
    pool: &PgPool,
    journal: &[ReceivedMail],
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let mails: Vec<Mail> = sqlx::query_as(
        "SELECT id, recipient::text, outcome::text, doubts, dot_at IS NOT NULL AS dot FROM notifications",
    )
    .fetch_all(pool)
    .await?;
    (report.compared.mails, report.compared.copies) = (mails.len(), journal.len());
    let mails: HashMap<Uuid, Mail> = mails.into_iter().map(|mail| (mail.id, mail)).collect();
    let mut copies: HashMap<Uuid, usize> = HashMap::new();
    let mut broken = |rule, what| report.violations.push(Violation { rule, what });
    for taken in journal {
        let Some(mail) = ledger_id(taken).and_then(|id| mails.get(&id)) else {
            broken("a mail was sent that nobody owed", taken.message_id.clone());
            continue;
        };
        *copies.entry(mail.id).or_default() += 1;
        let to = mail.recipient.as_deref().unwrap_or(&taken.recipient);
        if !to.eq_ignore_ascii_case(&taken.recipient) {
            broken("a mail was sent to somebody else", mail.id.to_string());
        }
    }
    for mail in mails.values() {
        let (found, (least, most)) = (copies.get(&mail.id).copied().unwrap_or_default(), mail.copies());
        report.compared.doubled += found.saturating_sub(1);
        report.compared.in_doubt += usize::from(mail.outcome.as_deref() == Some("in_doubt"));
        if !(least..=most).contains(&found) {
            let outcome = mail.outcome.as_deref().unwrap_or("waiting");
            let what = format!("{} is {outcome}, {} doubts: {found} copies", mail.id, mail.doubts);
            let rule = "a mail has more or fewer copies than its fate allows";
            report.violations.push(Violation { rule, what });
        }
    }
    Ok(())
}

/// The ledger row's id in a Message-ID `<id@domain>`.
fn ledger_id(taken: &ReceivedMail) -> Option<Uuid> {
    let (id, _) = taken.message_id.trim_start_matches('<').split_once('@')?;
    Uuid::try_parse(id).ok()
}
