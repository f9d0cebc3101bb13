//! What went wrong, and whose fault it is.

use std::fmt;

use lettre::transport::smtp::Error as SmtpError;

/// Where handing over a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Connecting, with TLS from the first byte, banner and EHLO.
    Connect,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The message and its dot.
    Dot,
    /// RSET.
    Reset,
}

impl Step {
    /// Its name in metrics, logs and the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Dot => "dot",
            Self::Reset => "rset",
        }
    }
}

/// How a step failed. No address is in it: what looks like one is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub step: Step,
    /// The reply code, if there was a reply.
    pub code: Option<u16>,
    /// The reply's text, or why there was none.
    pub text: String,
}

/// What a failure means for the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The relay refuses this mail for now.
    Deferred,
    /// The relay refuses this mail for good.
    Refused,
    /// The relay itself is in trouble, whatever the mail.
    RelayTrouble,
    /// The whole message may have been taken.
    InDoubt,
}

impl Failure {
    /// A failure that came without a reply.
    #[must_use]
    pub fn silent(step: Step, why: &str) -> Self {
        Self { step, code: None, text: without_addresses(why) }
    }

    /// What lettre reports of a step.
    pub(super) fn of(step: Step, error: &SmtpError) -> Self {
        use std::error::Error;
        let code = error.status().map(u16::from);
        let text = match (code, error.source()) {
            (Some(_), Some(reply)) => reply.to_string(),
            (Some(_), None) => String::new(),
            (None, _) => error.to_string(),
        };
        Self { step, code, text: without_addresses(&text) }
    }

    /// Whose fault it is: replies to RCPT, DATA or the dot judge the mail; everything before, any 421 and any silence
    /// before the dot judge the relay; silence after the dot is a doubt.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.step, self.code) {
            (_, Some(421)) => Verdict::RelayTrouble,
            (Step::Rcpt | Step::Data | Step::Dot, Some(code)) if code >= 500 => Verdict::Refused,
            (Step::Rcpt | Step::Data | Step::Dot, Some(_)) => Verdict::Deferred,
            (Step::Dot, None) => Verdict::InDoubt,
            _ => Verdict::RelayTrouble,
        }
    }

    /// Whether the connection is in a known state: the relay answered and did not say goodbye.
    pub(super) fn leaves_connection(&self) -> bool {
        self.code.is_some_and(|code| code != 421)
    }

    /// Step and code with its enhanced code (RFC 3463), without the relay's words.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.code {
            Some(code) => match self.text.split_whitespace().next().filter(|word| is_enhanced(word)) {
                Some(enhanced) => format!("{code} {enhanced} at {}", self.step.as_str()),
                None => format!("{code} at {}", self.step.as_str()),
            },
            None => format!("no reply at {}", self.step.as_str()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{}: {code} {}", self.step.as_str(), self.text),
            None => write!(f, "{}: {}", self.step.as_str(), self.text),
        }
    }
}

impl std::error::Error for Failure {}

fn is_enhanced(word: &str) -> bool {
    let mut parts = word.split('.');
    let numbers = parts.by_ref().take(3).filter(|part| part.parse::<u16>().is_ok()).count();
    numbers == 3 && parts.next().is_none()
}

/// The text in one line, every word with an `@` left out: replies like to name the recipient.
pub(super) fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "<address>" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(step: Step, code: Option<u16>) -> Failure {
        Failure { step, code, text: "5.1.1 no such user".to_owned() }
    }

    #[test]
    fn whose_fault_it_is() {
        use Step::{Auth, Connect, Data, Dot, Mail, Rcpt, Reset, StartTls};
        use Verdict::{Deferred, InDoubt, Refused, RelayTrouble};
        for (steps, code, verdict) in [
            (&[Connect, StartTls, Auth, Mail, Rcpt, Data, Dot, Reset][..], Some(421), RelayTrouble),
            (&[Connect, StartTls, Auth, Mail, Reset], Some(554), RelayTrouble),
            (&[Connect, StartTls, Auth, Mail, Reset], Some(451), RelayTrouble),
            (&[Connect, StartTls, Auth, Mail, Rcpt, Data, Reset], None, RelayTrouble),
            (&[Rcpt, Data, Dot], Some(450), Deferred),
            (&[Rcpt, Data, Dot], Some(552), Refused),
            (&[Dot], None, InDoubt),
        ] {
            for step in steps {
                assert_eq!(failure(*step, code).verdict(), verdict, "{step:?} {code:?}");
            }
        }
    }

    #[test]
    fn a_failure_names_no_recipient() {
        let text = without_addresses("5.1.1 <ada@example.org>:\r\n Recipient\taddress rejected");
        assert_eq!(text, "5.1.1 <address> Recipient address rejected");
        assert_eq!(Failure { step: Step::Rcpt, code: Some(550), text }.summary(), "550 5.1.1 at rcpt");
        assert_eq!(failure(Step::Dot, None).summary(), "no reply at dot");
    }
}
