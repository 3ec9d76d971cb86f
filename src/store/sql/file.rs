//! The file of an SQLite database: for its owner alone, because it holds the hashes of passwords.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::SqlUrl;

/// What SQLite keeps beside its file. It gives each of these the mode of the file.
const COMPANIONS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Creates a missing file with mode 0600, and takes an existing one away from its group and others. Fails with the reason
/// if the file cannot be created or written: SQLite only says that it cannot open it.
pub(super) fn protect(url: &SqlUrl) -> Result<(), String> {
    let Some(file) = url.file() else { return Ok(()) };
    if url.creates_file() {
        open(&file)?;
    } else if !file.exists() {
        return Err("there is no such file; with ?mode=rwc the server creates it".to_owned());
    }
    for path in COMPANIONS.map(|ending| companion(&file, ending)) {
        hide_from_others(&path);
    }
    Ok(())
}

fn open(file: &Path) -> Result<(), String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()));
    }
    // SQLite also writes files beside this one.
    let writable = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).map_err(io::Error::from);
    writable.map_err(|error| format!("the folder {} cannot be written to: {error}", folder.display()))?;
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    opened.map(drop).map_err(|error| format!("the file cannot be written to: {error}"))
}

fn companion(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// An older release made these files with the mode that the umask left.
fn hide_from_others(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    let owners = mode & 0o700;
    if !metadata.is_file() || mode == owners {
        return;
    }
    let path_shown = path.display();
    match fs::set_permissions(path, Permissions::from_mode(owners)) {
        Ok(()) => tracing::warn!("others could read {path_shown} (mode {mode:o}): now only its owner can"),
        Err(error) => {
            tracing::warn!("others can read {path_shown}, which holds password hashes; chmod failed: {error}");
        }
    }
}
