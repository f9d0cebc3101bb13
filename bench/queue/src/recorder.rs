//! Reports of a worker process to its parent, one line each on standard output.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{io, process, thread};

use crate::time;

/// Interval of reports.
const INTERVAL: Duration = Duration::from_millis(10);

/// One of so many jobs is slow where slow ones are wanted, and how long it takes.
const SLOW: u32 = 1_000;
const SLOW_JOB: Duration = Duration::from_secs(1);

/// What is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Watch {
    /// The start of the first job and the number handled.
    Count,
    /// The same; one of a thousand jobs takes a second.
    CountSlow,
    /// The start of each job.
    Each,
}

impl Watch {
    pub fn argument(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountSlow => "count-slow",
            Self::Each => "each",
        }
    }
}

/// Called by handlers; clones share their state.
#[derive(Clone, Debug)]
pub struct Recorder {
    watch: Watch,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    handled: AtomicU64,
    first: OnceLock<Duration>,
}

impl Recorder {
    /// Starts reporting. The process ends when its standard input closes, and so with its parent.
    pub fn start(watch: Watch) -> Self {
        let tally = Arc::new(Tally::default());
        thread::spawn(|| {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            process::exit(0);
        });
        if watch != Watch::Each {
            let tally = Arc::clone(&tally);
            thread::spawn(move || tell_counts(&tally));
        }
        Self { watch, tally }
    }

    /// Runs a job.
    pub async fn run(&self, number: u32) {
        self.count(number);
        if self.watch == Watch::CountSlow && number.is_multiple_of(SLOW) {
            tokio::time::sleep(SLOW_JOB).await;
        }
    }

    fn count(&self, number: u32) {
        match self.watch {
            Watch::Count | Watch::CountSlow => {
                self.tally.first.get_or_init(time::now);
                self.tally.handled.fetch_add(1, Ordering::Relaxed);
            }
            Watch::Each => tell(&Line::Began { number, at: time::now() }),
        }
    }
}

fn tell_counts(tally: &Tally) {
    let mut told = 0;
    loop {
        thread::sleep(INTERVAL);
        let handled = tally.handled.load(Ordering::Relaxed);
        if let Some(first) = tally.first.get().filter(|_| handled > told) {
            tell(&Line::Handled { jobs: handled, first: *first });
            told = handled;
        }
    }
}

fn tell(line: &Line) {
    // The reader only disappears when this process is about to end.
    let _ = writeln!(io::stdout().lock(), "{}", line.write());
}

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The number of jobs handled, and when the first started.
    Handled { jobs: u64, first: Duration },
    /// This job has started.
    Began { number: u32, at: Duration },
}

impl Line {
    fn write(self) -> String {
        match self {
            Self::Handled { jobs, first } => format!("handled {jobs} {}", first.as_nanos()),
            Self::Began { number, at } => format!("began {number} {}", at.as_nanos()),
        }
    }

    /// Parses a line; `None` for other output, as contenders may print too.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (word, count, nanos) = (words.next()?, words.next()?, words.next()?);
        let at = Duration::from_nanos(nanos.parse().ok()?);
        match word {
            "handled" => Some(Self::Handled { jobs: count.parse().ok()?, first: at }),
            "began" => Some(Self::Began { number: count.parse().ok()?, at }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let at = Duration::from_nanos(1_800_000_000_123_456_789);
        for line in [Line::Handled { jobs: 60_000, first: at }, Line::Began { number: 7, at }] {
            assert_eq!(Line::read(&line.write()), Some(line));
        }
        assert_eq!(Line::read("worker started"), None);
    }
}
