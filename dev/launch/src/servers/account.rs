//! The account that Postgres runs under, which must not be root.

use std::fs;
use std::io;
use std::path::Path;

/// An account of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Numeric user id.
    pub uid: u32,
    /// Numeric id of its first group.
    pub gid: u32,
}

impl Account {
    /// The unprivileged account Postgres has to drop to when we are root, `None` when we are not.
    ///
    /// # Errors
    /// When we are root and the machine has neither a `postgres` nor a `nobody` account.
    pub fn for_postgres() -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd")?;
        ["postgres", "nobody"].iter().find_map(|name| Self::in_passwd(&passwd, name)).map(Some).ok_or_else(
            || io::Error::other("Postgres refuses to run as root and there is no account postgres or nobody"),
        )
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }

    /// Makes this account the owner of `path`.
    ///
    /// # Errors
    /// Those of chown(2).
    pub fn own(self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn an_account_is_read_from_its_own_line() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:7::/:\npostgres:x:105:113:,,,:/var/lib:/bin/sh\n";
        assert_eq!(Account::in_passwd(passwd, "postgres"), Some(Account { uid: 105, gid: 113 }));
        assert_eq!(Account::in_passwd(passwd, "nobody"), None);
    }
}
