/// Why a command failed, as the person who ran it reads it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
