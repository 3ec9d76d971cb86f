//! One PostgreSQL for all tests of a binary.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Leashed, Port, folder_in_memory, program, until};

/// A PostgreSQL for all tests of a binary. Each test has a new database in it.
pub struct Postgres {
    port: Port,
    _process: Leashed,
}

static POSTGRES: OnceLock<Postgres> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Makes a new, empty database, and returns its URL.
pub async fn postgres_database() -> String {
    let server =
        tokio::task::spawn_blocking(|| POSTGRES.get_or_init(Postgres::start)).await.expect("PostgreSQL starts");
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    let admin = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port.number);
    let mut made = None;
    until("PostgreSQL makes a database", async || {
        if made.is_none() {
            made = create_database(&admin, &name).await;
        }
        made.is_some()
    })
    .await;
    format!("postgres://postgres@127.0.0.1:{}/{name}", server.port.number)
}

async fn create_database(admin: &str, name: &str) -> Option<()> {
    use sea_orm::ConnectionTrait as _;
    let pool = sea_orm::Database::connect(admin).await.ok()?;
    pool.execute_unprepared(&format!("CREATE DATABASE {name}")).await.ok()?;
    pool.close().await.ok()
}

impl Postgres {
    /// Starts one for this test alone. With a certificate and its key, both in PEM, it also speaks TLS.
    pub async fn start_apart(certificate: Option<&(String, String)>) -> Self {
        let certificate = certificate.cloned();
        let start = move || Self::start_with(certificate.as_ref(), None);
        let server = tokio::task::spawn_blocking(start).await.expect("PostgreSQL starts");
        let url = server.url("127.0.0.1");
        until("PostgreSQL answers", async || sea_orm::Database::connect(&url).await.is_ok()).await;
        server
    }

    /// Starts one for this test alone, as the official image sets it up: with these options of initdb, and this password
    /// for the superuser.
    pub async fn start_as_image(options: &str, password: &str) -> Self {
        let (options, secret) = (options.to_owned(), password.to_owned());
        let start = move || Self::start_with(None, Some((&options, &secret)));
        let server = tokio::task::spawn_blocking(start).await.expect("PostgreSQL starts");
        let url = format!("postgres://postgres:{password}@127.0.0.1:{}/postgres", server.port.number);
        until("PostgreSQL answers", async || sea_orm::Database::connect(&url).await.is_ok()).await;
        server
    }

    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// The address of its first database, by a name or an address of this machine.
    pub fn url(&self, host: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres", self.port.number)
    }

    fn start() -> Self {
        Self::start_with(None, None)
    }

    /// `set_up`: options of initdb, and the superuser's password.
    fn start_with(certificate: Option<&(String, String)>, set_up: Option<(&str, &str)>) -> Self {
        let folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
            .unwrap_or_default();
        let install = "apt-get install postgresql";
        let (initdb, postgres) = (program("initdb", &folders, install), program("postgres", &folders, install));
        let user = unprivileged();
        let on_disk = || tempfile::Builder::new().prefix("jwt-vs-session-pg-").tempdir_in("/tmp").expect("a folder");
        // It grows to about 200 MB.
        let folder = folder_in_memory(512 << 20).unwrap_or_else(on_disk);
        let owned = |path: &Path| {
            let (uid, gid) = user.unzip();
            std::os::unix::fs::chown(path, uid, gid).expect("chown");
        };
        owned(folder.path());
        let data = folder.path().join("data");
        let mut init = Command::new(initdb);
        init.arg("-D").arg(&data).args(["-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]);
        if let Some((options, password)) = set_up {
            let file = folder.path().join("password");
            std::fs::write(&file, password).expect("a file");
            owned(&file);
            init.args(options.split_whitespace()).arg("--pwfile").arg(file);
        } else {
            init.args(["-A", "trust"]);
        }
        if let Some((uid, gid)) = user {
            init.uid(uid).gid(gid).current_dir("/");
        }
        let output = init.output().expect("initdb starts");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let port = Port::free();
        let options = ["-p", &port.number.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"];
        let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
        arguments.extend(options.map(ToString::to_string));
        arguments.extend(["-k".to_owned(), folder.path().display().to_string()]);
        if let Some((certificate, key)) = certificate {
            for (option, text) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
                let file = folder.path().join(option);
                std::fs::write(&file, text).expect("a file");
                std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("chmod");
                owned(&file);
                arguments.extend(["-c".to_owned(), format!("{option}={}", file.display())]);
            }
            arguments.extend(["-c".to_owned(), "ssl=on".to_owned()]);
        }
        let folder = folder.keep();
        Self { port, _process: Leashed::start(&postgres, &arguments, "INT", user, Some(&folder)) }
    }
}

/// The user that PostgreSQL runs as when the tests run as root, which it refuses: `postgres`, or `nobody`.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let of = |user| Some((id(&["-u", user])?, id(&["-g", user])?));
    of("postgres").or_else(|| of("nobody"))
}
