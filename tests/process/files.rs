//! The database's file: for its owner alone, and named with the reason when it cannot be used.

use std::fs::{Permissions, metadata, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::program::{Program, command, run};
use crate::common::{DEMO_PASSWORD, folder};

const FILES: [&str; 3] = ["jwt-vs-session.db", "jwt-vs-session.db-wal", "jwt-vs-session.db-shm"];

fn mode(folder: &Path, name: &str) -> u32 {
    metadata(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode() & 0o777
}

#[tokio::test]
async fn the_database_and_its_log_are_for_their_owner_only() {
    let server = Program::start(&[]).await;
    assert_eq!(server.log_in("/session-sql", "alice", DEMO_PASSWORD).await.0, 303);
    for name in FILES {
        assert_eq!(mode(server.folder.path(), name), 0o600, "{name}");
    }
    server.stop().await;
}

/// A database of an older release, with the mode that the umask left.
#[tokio::test]
async fn a_database_that_others_can_read_is_taken_away_from_them() {
    let folder = Program::start(&[]).await.stop().await;
    let database = folder.path().join(FILES[0]);
    for name in FILES {
        let _ = set_permissions(folder.path().join(name), Permissions::from_mode(0o644));
    }
    assert_eq!(metadata(&database).expect("a file").permissions().mode() & 0o777, 0o644);
    let server = Program::start_in(folder, &["--redis-url", "none"]).await;
    assert_eq!(server.log_in("/session-sql", "alice", DEMO_PASSWORD).await.0, 303);
    for name in FILES {
        assert_eq!(mode(server.folder.path(), name), 0o600, "{name}");
    }
    assert!(server.log().contains("others could read jwt-vs-session.db (mode 644)"), "{}", server.log());
    server.stop().await;
}

#[tokio::test]
async fn a_path_that_cannot_be_written_is_named_with_the_reason() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(path("directory")).expect("a folder");
    std::fs::write(path("read only"), "").expect("a file");
    for (url, words) in [
        (format!("sqlite://{}?mode=rwc", path("nowhere/test.db")), ["there is no folder", "nowhere"]),
        (format!("sqlite://{}?mode=rwc", path("directory")), ["cannot be written to", "directory"]),
        (format!("sqlite://{}", path("missing.db")), ["there is no such file", "?mode=rwc"]),
        ("sqlite:///proc/test.db?mode=rwc".to_owned(), ["cannot be written to", "/proc"]),
    ] {
        let output = run(command(folder.path(), &["--redis-url", "none", "--database-url", &url])).await;
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{url}: {said}");
        assert!(said.starts_with("error: cannot use the SQLite file /") && said.lines().count() == 1, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in: {said}");
        assert!(!said.contains("PostgreSQL") && !said.contains("parameter"), "{said}");
    }
}
