use std::fmt;

/// Why a program does not start: every configuration error, without values of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub faults: Vec<Fault>,
}

/// One key that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable's name.
    pub key: String,
    /// What is wrong and what is expected.
    pub problem: String,
}

impl Fault {
    pub(super) fn missing(key: &str) -> Self {
        Self { key: key.to_owned(), problem: "is required and not set".to_owned() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("configuration:")?;
        for Fault { key, problem } in &self.faults {
            write!(f, "\n  {key} {problem}")?;
        }
        f.write_str("\nAll keys and their defaults stand in defaults.env.")
    }
}

impl std::error::Error for ConfigError {}
