//! Why a mail could not be handed over, and what that means for it.

use std::{fmt, io};

use super::redact::without_addresses;
use super::reply::Reply;

/// The step of SMTP that failed.
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
    /// The message up to its end, a line with a single dot.
    EndOfData,
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
            Self::EndOfData => "dot",
            Self::Reset => "rset",
        }
    }
}

/// How a step failed. Contains no mail address: words with an `@` are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// The reply code, if there was a reply.
    pub code: Option<u16>,
    /// The reply's text, or why there was no reply.
    pub text: String,
}

/// What a failure means for the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The relay temporarily refuses this mail.
    Deferred,
    /// The relay permanently refuses this mail.
    Refused,
    /// The relay fails whatever the mail.
    RelayUnavailable,
    /// The relay fails at this mail; whether at others too is not known yet.
    RelayOrMail,
    /// The relay may have accepted the message.
    InDoubt,
}

impl Failure {
    /// A failure without a reply.
    #[must_use]
    pub fn no_reply(step: Step, why: &str) -> Self {
        Self { step, code: None, text: without_addresses(why) }
    }

    /// A reply that refuses. A positive reply that the step does not allow counts as none.
    pub(super) fn of_reply(step: Step, reply: &Reply) -> Self {
        if reply.code < 400 {
            return Self::no_reply(step, &format!("unexpected reply {}", reply.code));
        }
        Self { step, code: Some(reply.code), text: reply.text() }
    }

    /// An error of the connection.
    pub(super) fn of_io(step: Step, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::no_reply(step, "timed out"),
            _ => Self::no_reply(step, &error.to_string()),
        }
    }

    /// A reply to RCPT, DATA or the message concerns the mail. Any failure before concerns the relay. A 421 from RCPT on,
    /// and no reply to RCPT or DATA, can concern either. No reply after the end of the message leaves the mail in doubt.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match (self.step, self.code) {
            (Step::Rcpt | Step::Data | Step::EndOfData, Some(421)) | (Step::Rcpt | Step::Data, None) => {
                FailureClass::RelayOrMail
            }
            (Step::Rcpt | Step::Data | Step::EndOfData, Some(code)) if code >= 500 => FailureClass::Refused,
            (Step::Rcpt | Step::Data | Step::EndOfData, Some(_)) => FailureClass::Deferred,
            (Step::EndOfData, None) => FailureClass::InDoubt,
            _ => FailureClass::RelayUnavailable,
        }
    }

    /// Whether the connection can still be used: the relay replied, and not with 421, which closes it.
    pub(super) fn leaves_connection_usable(&self) -> bool {
        self.code.is_some_and(|code| code != 421)
    }

    /// Step, code and enhanced code (RFC 3463), without the relay's text.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(step: Step, code: Option<u16>) -> Failure {
        Failure { step, code, text: "5.1.1 no such user".to_owned() }
    }

    #[test]
    fn the_step_and_the_code_decide_the_class() {
        use FailureClass::{Deferred, InDoubt, Refused, RelayOrMail, RelayUnavailable};
        use Step::{Auth, Connect, Data, EndOfData, Mail, Rcpt, Reset, StartTls};
        for (steps, code, class) in [
            (&[Connect, StartTls, Auth, Mail, Reset][..], Some(421), RelayUnavailable),
            (&[Connect, StartTls, Auth, Mail, Reset], Some(554), RelayUnavailable),
            (&[Connect, StartTls, Auth, Mail, Reset], Some(451), RelayUnavailable),
            (&[Connect, StartTls, Auth, Mail, Reset], None, RelayUnavailable),
            (&[Rcpt, Data, EndOfData], Some(421), RelayOrMail),
            (&[Rcpt, Data], None, RelayOrMail),
            (&[Rcpt, Data, EndOfData], Some(450), Deferred),
            (&[Rcpt, Data, EndOfData], Some(552), Refused),
            (&[EndOfData], None, InDoubt),
        ] {
            for step in steps {
                assert_eq!(failure(*step, code).class(), class, "{step:?} {code:?}");
            }
        }
    }

    #[test]
    fn a_failure_does_not_name_the_recipient() {
        let text = without_addresses("5.1.1 <ada@example.org>:\r\n Recipient\taddress rejected");
        assert_eq!(text, "5.1.1 <address> Recipient address rejected");
        assert_eq!(Failure { step: Step::Rcpt, code: Some(550), text }.summary(), "550 5.1.1 at rcpt");
        assert_eq!(failure(Step::EndOfData, None).summary(), "no reply at dot");
    }
}
