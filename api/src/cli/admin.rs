use std::{io::BufRead, path::PathBuf, process::ExitCode, time::Duration};

use punctual_core::{
    Core, Error,
    config::{Config, Secret},
    pool::{self, PoolSettings},
    sandbox, settings,
    types::{EmailAddress, PersonName},
    users::{self, NewUser, User},
};
use punctual_queue::Wake;

use super::Failure;
use crate::{
    auth::{Passwords, password_rules},
    throttle::HashPermit,
};

/// Where the new administrator's password comes from.
pub enum Password {
    /// The owner sets it by a mailed link.
    ByMail,
    /// The first line of standard input.
    Stdin,
    /// The first line of a file.
    File(PathBuf),
}

impl Password {
    /// From the command line's options.
    pub fn from_options(stdin: bool, file: Option<PathBuf>) -> Self {
        match file {
            Some(file) => Self::File(file),
            None if stdin => Self::Stdin,
            None => Self::ByMail,
        }
    }

    /// None if the password is set by mail.
    fn read(&self) -> Result<Option<String>, Failure> {
        let mut line = String::new();
        match self {
            Self::ByMail => return Ok(None),
            Self::Stdin => {
                eprintln!("Type the new administrator's password, 8 to 128 characters, then Enter:");
                std::io::stdin().lock().read_line(&mut line)?;
            }
            Self::File(path) => {
                let file =
                    std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
                std::io::BufReader::new(file).read_line(&mut line)?;
            }
        }
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// Creates an administrator's account.
pub async fn create(
    config: &Config,
    email: &str,
    name: &str,
    password: Password,
) -> Result<ExitCode, Failure> {
    let user = NewUser {
        email: EmailAddress::parse(email)?,
        name: PersonName::parse(name)?,
        phone: None,
        locale: None,
        zone: None,
    };
    let password = password.read()?;
    let settings = PoolSettings {
        program: "punctual-api admin",
        connections: 1,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    let mut conn = pool.acquire().await?;
    let clock = sandbox::follow_clock(&mut conn, &pool).await?;
    let prefix = punctual_queue::redis_prefix(&mut conn).await?;
    drop(conn);
    let wake = Wake::connect_with(config.redis_url.as_ref().map(Secret::expose), &prefix)?;
    let core = Core::new(pool, clock, wake);
    let mailed = password.is_none();
    let made = match password {
        Some(password) => with_password(&core, &user, password).await?,
        None => invited(&core, user).await?,
    };
    match made {
        Ok(user) if mailed => {
            println!(
                "The administrator's account {} was created. The mail with the link that sets its password",
                user.id
            );
            println!("is queued: it leaves once a worker runs and its mail server answers, which");
            println!("`punctual-worker test-email <address>` tries. The link works once, within a week.");
            Ok(ExitCode::SUCCESS)
        }
        Ok(user) => {
            println!("The administrator's account {} was created.", user.id);
            Ok(ExitCode::SUCCESS)
        }
        Err(Error::EmailTaken) => Err("there is an account with this address already".into()),
        Err(error) => Err(error.into()),
    }
}

async fn with_password(
    core: &Core,
    user: &NewUser,
    password: String,
) -> Result<Result<User, Error>, Failure> {
    password_rules::check(&password, user.email.as_str(), Some(user.name.as_str()))?;
    let hash = Passwords::new(1, 1).hash(password, HashPermit::of_operator()).await?;
    Ok(users::create_admin(&core.pool, core.now(), user, Some(&hash)).await)
}

async fn invited(core: &Core, user: NewUser) -> Result<Result<User, Error>, Failure> {
    match settings::get(&core.pool).await {
        Ok(_) => Ok(users::invite_admin(core, user).await),
        Err(Error::NotFound(_)) => {
            Err("no mail can be sent before the business is set up: give a password by --password-stdin"
                .into())
        }
        Err(error) => Err(error.into()),
    }
}
