use std::{fs::OpenOptions, io::Write, path::Path, process::ExitCode};

use punctual_core::config::Keys;

use super::Failure;

/// Creates the files `jwt` and `link` unless they exist. Their keys are accepted on localhost only.
pub fn run(folder: &Path) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for name in ["jwt", "link"] {
        let path = folder.join(name);
        let shown = path.display();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                let bytes: [u8; 32] = rand::random();
                writeln!(file, "{}", Keys::write_local(1, &bytes))?;
                println!("{shown} was created.");
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                println!("{shown} exists already.");
            }
            Err(error) => return Err(format!("{shown}: {error}").into()),
        }
    }
    Ok(ExitCode::SUCCESS)
}
