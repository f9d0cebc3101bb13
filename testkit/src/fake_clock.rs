//! A system clock that a test moves, for programs that run as processes: libfaketime between the program and the kernel.
//! The monotonic clock goes on undisturbed, as it does when a real clock is stepped.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::Programs;
use crate::require::Tool;

/// Where distributions put the library: `<one of these>/<architecture>/faketime/libfaketimeMT.so.1`.
const LIBRARIES: [&str; 2] = ["/usr/lib", "/usr/local/lib"];

/// The clock of all programs that were started with it; it moves while they run.
#[derive(Debug)]
pub struct FakeClock {
    library: PathBuf,
    offset: NamedTempFile,
}

impl FakeClock {
    /// A clock that shows the real time, or `None` where there is no libfaketime: the calling test is skipped (see
    /// [`Tool::skip`]).
    ///
    /// # Panics
    /// When its file cannot be made.
    #[must_use]
    pub fn find() -> Option<Self> {
        let Some(library) = library() else {
            Tool::Faketime.skip("libfaketime (Debian's package faketime)");
            return None;
        };
        let clock = Self { library, offset: NamedTempFile::new().expect("a file for the offset") };
        clock.set(0);
        Some(clock)
    }

    /// Shows the real time plus so many seconds from now on.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn set(&self, seconds: i64) {
        // Replaced as a whole: a program that reads it meanwhile sees the old offset or the new one.
        let new = self.offset.path().with_extension("new");
        fs::write(&new, format!("{seconds:+}\n")).expect("the offset is written");
        fs::rename(new, self.offset.path()).expect("the offset is replaced");
    }

    /// Programs that use this clock.
    #[must_use]
    pub fn on(&self, programs: Programs) -> Programs {
        self.environment().iter().fold(programs, |programs, (name, value)| programs.set(name, value))
    }

    /// The variables that make a program use this clock.
    ///
    /// # Panics
    /// When a path is not UTF-8.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        vec![
            ("LD_PRELOAD", text(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", text(self.offset.path())),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Its name in older and in newer releases.
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

fn library() -> Option<PathBuf> {
    let folders = LIBRARIES.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}
