//! Which errors mean that Postgres is not available, as opposed to a fault of the statement.

use std::error::Error as StdError;

/// Whether the error says that Postgres can't serve now: the connection failed, the server is starting, stopping, in
/// recovery or read-only after a fail-over, or it lacks connections, memory or disk. The same statement can succeed later
/// on a new connection.
///
/// SQLSTATE classes: 08 (connection), 53 (resources), 57P (operator intervention), 58 (system), and 25006 (read-only).
#[must_use]
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        // Protocol: the connection was cut while it was being opened.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| is_unavailable_code(&code)),
        _ => false,
    }
}

fn is_unavailable_code(code: &str) -> bool {
    code == "25006" || ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class))
}

/// Whether an error or one of its causes is [`is_unavailable`].
pub(crate) fn is_caused_by_unavailable(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<sqlx::Error>().is_some_and(is_unavailable) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_standby_and_a_full_disk_are_no_fault_of_the_statement() {
        for code in ["25006", "08P01", "08006", "57P01", "57P03", "53100", "53300", "58030"] {
            assert!(is_unavailable_code(code), "{code}");
        }
        for code in ["23505", "42P01", "22003", "57014", "55P03", "40001", "25P02"] {
            assert!(!is_unavailable_code(code), "{code}");
        }
    }

    #[test]
    fn an_outage_is_found_beneath_the_errors_that_wrap_it() {
        #[derive(Debug, thiserror::Error)]
        #[error("the ledger")]
        struct Wrapped(#[source] sqlx::Error);
        assert!(is_caused_by_unavailable(&Wrapped(sqlx::Error::PoolTimedOut)));
        assert!(!is_caused_by_unavailable(&Wrapped(sqlx::Error::RowNotFound)));
    }
}
