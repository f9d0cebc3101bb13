use super::subject::Subject;

/// Permission to hash one password. The hasher requires it, so that no operation can compare passwords without counting
/// the request: within a request only the [`super::Allowance`] gives it.
#[derive(Debug, Clone, Copy)]
pub struct HashPermit {
    shares: Option<[Subject; 2]>,
}

impl HashPermit {
    pub(super) const fn new(shares: [Subject; 2]) -> Self {
        Self { shares: Some(shares) }
    }

    #[cfg(test)]
    pub const fn of_subjects(shares: [Subject; 2]) -> Self {
        Self::new(shares)
    }

    /// For a command that an operator runs on the machine.
    #[must_use]
    pub const fn of_operator() -> Self {
        Self { shares: None }
    }

    /// The account and the client whose shares of the hashing queue it takes.
    pub const fn shares(&self) -> Option<[Subject; 2]> {
        self.shares
    }
}
