//! `cargo dev pictures`: renders every mail as on a phone, in light and dark mode, from the worker's snapshots.
//! With `--book <url>`: the booking page of a running stack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use punctual_launch::programs::clone_root;

use punctual_testkit::browser::{Browser, Look, find};

/// Exit status without a browser.
const STATUS_MISSING: u8 = 2;

/// Render all mails as pictures.
#[derive(Parser)]
#[command(name = "cargo dev pictures", bin_name = "cargo dev pictures")]
struct Options {
    /// Folder for the pictures
    #[arg(default_value = "target/pictures/mails")]
    folder: PathBuf,
    /// Device pixels per CSS pixel
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
    scale: u32,
    /// Only these, separated by commas, such as confirmation.en.light,declined.de.dark
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Take pictures of the booking page at this URL instead
    #[arg(long)]
    book: Option<String>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let Some(program) = find() else {
        eprintln!("there is no Chromium on the PATH: apt-get install chromium");
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    fs::create_dir_all(&options.folder)?;
    let mut browser = Browser::start(&program).await?;
    if let Some(url) = &options.book {
        book(&mut browser, url, &options).await?;
        browser.close().await?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, html) in mails()? {
        for (light, look) in [("light", Look::PHONE), ("dark", Look::PHONE.dark())] {
            let name = format!("{name}.{light}");
            if !options.only.is_empty() && !options.only.contains(&name) {
                continue;
            }
            browser.look(look.picture(options.scale)).await?;
            browser.show(&html).await?;
            let path = options.folder.join(format!("{name}.png"));
            fs::write(&path, browser.picture().await?)?;
            println!("{}", path.display());
        }
    }
    browser.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// The services on a phone, and the times of the first one on a desktop.
async fn book(browser: &mut Browser, url: &str, options: &Options) -> Result<()> {
    browser.open(&format!("{url}?lang=en")).await?;
    keep(browser, Look::PHONE.picture(options.scale), &options.folder.join("book-phone.png")).await?;
    browser.look(Look::DESKTOP).await?;
    let first = "document.querySelector('.services a').href";
    let times = browser.evaluate(first).await?;
    browser.open(&times).await?;
    keep(browser, Look::DESKTOP.picture(options.scale), &options.folder.join("book.png")).await
}

async fn keep(browser: &mut Browser, look: Look, path: &Path) -> Result<()> {
    browser.look(look).await?;
    fs::write(path, browser.picture().await?)?;
    println!("{}", path.display());
    Ok(())
}

/// Name and HTML of each mail.
fn mails() -> Result<Vec<(String, String)>> {
    let folder = clone_root().join("worker/src/mails/snapshots");
    let mut mails = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        let text = fs::read_to_string(&path)?;
        mails.extend(name(&path).zip(html(&text)).map(|(name, html)| (name.to_owned(), html.to_owned())));
    }
    mails.sort_unstable();
    Ok(mails)
}

/// `pending.en` of `punctual_worker__mails__tests__pending.en.snap`.
fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_suffix(".snap")?.rsplit("__").next()
}

fn html(snapshot: &str) -> Option<&str> {
    let (_, rest) = snapshot.split_once("\n=== text/html\n")?;
    Some(rest.split_once("\n=== ").map_or(rest, |(html, _)| html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mail_has_a_picture_to_be_taken_of() {
        let mails = mails().unwrap();
        assert!(mails.iter().any(|(name, _)| name == "confirmation.en"));
        for (name, html) in &mails {
            assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"), "{name}");
        }
    }
}
