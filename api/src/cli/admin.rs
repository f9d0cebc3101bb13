use std::{io::BufRead, path::Path, process::ExitCode, time::Duration};

use punctual_core::{
    Error,
    config::Config,
    pool::{self, PoolSettings},
    types::{EmailAddress, PersonName},
    users::{self, NewUser},
};
use punctual_queue::{Clock, ServerClock};

use super::Failure;
use crate::auth::Passwords;

/// Makes an administrator's account.
pub async fn create(
    config: &Config,
    email: &str,
    name: &str,
    password_file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let email = EmailAddress::parse(email)?;
    let name = PersonName::parse(name)?;
    let password = read_password(password_file)?;
    if !(8..=128).contains(&password.chars().count()) {
        return Err("a password has 8 to 128 characters".into());
    }
    let hash = Passwords::new(1, 1).hash(password).await?;
    let settings = PoolSettings {
        program: "punctual-api admin",
        connections: 1,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    let clock = ServerClock::start(&pool).await?;
    let user = NewUser { email, name, phone: None, locale: None, zone: None };
    match users::create_admin(&pool, clock.now(), &user, Some(&hash)).await {
        Ok(user) => {
            println!("The administrator's account {} is made.", user.id);
            Ok(ExitCode::SUCCESS)
        }
        Err(Error::EmailTaken) => Err("there is an account with this address already".into()),
        Err(error) => Err(error.into()),
    }
}

fn read_password(file: Option<&Path>) -> Result<String, Failure> {
    let mut line = String::new();
    if let Some(path) = file {
        let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        std::io::BufReader::new(file).read_line(&mut line)?;
    } else {
        eprintln!("Type the new administrator's password, 8 to 128 characters, then Enter:");
        std::io::stdin().lock().read_line(&mut line)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
