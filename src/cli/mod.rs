//! The commands: each reads the settings, calls the library and prints. No rules of their own.

mod help;
mod labs;
mod progress;
mod users;

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use secrecy::SecretString;
use serde_json::json;

use self::users::{ResetRefused, UserChange};
use crate::account::{Hasher, InvalidName, UserName};
use crate::app::{App, STRATEGIES, StartError};
use crate::auth::Keys;
use crate::clock::Clock;
use crate::config::Settings;
use crate::identity::{Role, UserId};
use crate::store::users::{User, Users};
use crate::store::{PasswordFileError, Sql};
use crate::{security_log, telemetry};

#[derive(Parser)]
#[command(version, about = about(), before_help = help::EXAMPLES, after_help = help::EXIT_STATUS)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

fn about() -> String {
    let count = STRATEGIES.len();
    format!("Compare JWTs and sessions: the same pages under {count} strategies, and labs that measure them")
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve,
    /// List the strategies, and whether each is ready with these settings
    Strategies {
        /// Output format
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// Run a lab: measure revocation, or benchmark authentication
    Lab {
        #[command(subcommand)]
        lab: labs::LabCommand,
    },
    /// Make a key file of mode 0600 for --jwt-algorithm, to replace a key without losing logins
    Key {
        /// The new file
        file: PathBuf,
    },
    /// Print the completions of a shell: bash, elvish, fish, powershell or zsh
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Add, disable, enable and delete users
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Delete every user, revoke every login, and add the demo users again
    Reset {
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user, with a password from standard input
    Add {
        /// User name
        name: String,
        /// Role of the user: a presenter may start labs
        #[arg(long, default_value = "user", value_name = "user|presenter")]
        role: Role,
    },
    /// Disable a user: revoke every login of the user, and refuse new ones
    Disable {
        /// User name
        name: String,
    },
    /// Let a disabled user log in again; revoked logins stay revoked
    Enable {
        /// User name
        name: String,
    },
    /// Delete a user, and revoke every login of the user
    Delete {
        /// User name
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Debug, thiserror::Error)]
#[error("this user name is taken")]
struct NameTaken;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Parses the command line and runs the command. Every failure is one sentence on standard error.
pub async fn run() -> ExitCode {
    let cli = parse();
    telemetry::log_to_stderr();
    match carry_out(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            exit_code(&*error)
        }
    }
}

/// Runs the command. Those that open stores first read the passwords that are in files.
async fn carry_out(cli: Cli) -> Outcome {
    let settings = cli.settings;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&settings.read_passwords()?).await,
        Command::Strategies { format } => strategies(&settings.read_passwords()?, format).await,
        Command::Completions { shell } => print_completions(shell),
        Command::Key { file } => make_key(&settings, &file),
        Command::Lab { lab } => labs::run(&settings.read_passwords()?, lab).await,
        // These open the SQL database alone.
        Command::User { command } => user(&settings.read_database_password()?, command).await,
        Command::Reset { yes } => users::reset(&settings.read_database_password()?, yes).await,
    }
}

/// 2 for a wrong option, as clap does; 1 for what may succeed another time.
fn exit_code(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    let is_wrong_option = error.downcast_ref::<StartError>().is_some_and(StartError::is_wrong_option)
        || error.is::<InvalidName>()
        || error.is::<PasswordFileError>()
        || error.is::<ResetRefused>();
    ExitCode::from(if is_wrong_option { 2 } else { 1 })
}

/// Parses the command line. The error never repeats an invalid value that may hold a password.
fn parse() -> Cli {
    const SECRET: [&str; 4] = ["--database-url", "--redis-url", "--jwt-secret", "--demo-password"];
    let matches = help::command().try_get_matches();
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).unwrap_or_else(|mut error| {
        let argument = error.get(ContextKind::InvalidArg);
        let secret =
            matches!(argument, Some(ContextValue::String(name)) if SECRET.iter().any(|one| name.starts_with(one)));
        if secret {
            error.insert(ContextKind::InvalidValue, ContextValue::String("(not shown)".to_owned()));
        }
        error.exit()
    })
}

async fn serve(settings: &Settings) -> Outcome {
    telemetry::count();
    // First: a signal must end everything that starts below.
    let stop = stop_signal()?;
    let app = App::open(settings, Clock::system()).await?;
    security_log::start(app.node());
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{}", app.address())?;
    if let Some(demo) = app.demo().filter(|demo| !demo.users.is_empty()) {
        let names: Vec<_> = demo.users.iter().map(|user| user.name.as_str()).collect();
        writeln!(out, "demo users {} with the password {}", names.join(", "), demo.printed)?;
    }
    if app.needs_users() {
        let how = "`jwt-vs-session user add NAME` adds one, and so does a register page; or start with --demo";
        writeln!(out, "no demo users: {how}")?;
    }
    out.flush()?;
    drop(out);
    let served = app.run(stop).await;
    security_log::flush();
    Ok(served?)
}

/// Completes at the first SIGTERM or Ctrl-C.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn strategies(settings: &Settings, format: Format) -> Outcome {
    let rows = App::readiness(settings).await?;
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "strategies": rows }))?)?,
        Format::Table => {
            for row in rows {
                let state = row.why_not.as_deref().unwrap_or("ready");
                writeln!(out, "{:<16} {:<24} {state}", row.description.slug, row.description.texts.store)?;
                writeln!(out, "{:<16} {}", "", row.description.texts.summary)?;
                writeln!(out, "{:<16} A revoke takes effect: {}", "", row.description.texts.revocation)?;
            }
        }
    }
    Ok(())
}

fn print_completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command(), "jwt-vs-session", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

fn make_key(settings: &Settings, file: &Path) -> Outcome {
    Keys::create_file(file, settings.jwt_algorithm).map_err(StartError::Keys)?;
    writeln!(std::io::stdout(), "{} holds a new {} key", file.display(), settings.jwt_algorithm)?;
    Ok(())
}

async fn user(settings: &Settings, command: UserCommand) -> Outcome {
    match command {
        UserCommand::Add { name, role } => add_user(settings, &name, role).await,
        UserCommand::Disable { name } => users::change(settings, &name, UserChange::Disable).await,
        UserCommand::Enable { name } => users::change(settings, &name, UserChange::Enable).await,
        UserCommand::Delete { name } => users::change(settings, &name, UserChange::Delete).await,
    }
}

async fn add_user(settings: &Settings, name: &str, role: Role) -> Outcome {
    let name = UserName::parse(name)?;
    let mut password = String::new();
    if std::io::stdin().is_terminal() {
        write!(std::io::stderr(), "Password for {} (it is shown): ", name.shown())?;
        std::io::stdin().read_line(&mut password)?;
    } else {
        std::io::stdin().take(4096).read_to_string(&mut password)?;
    }
    let password = SecretString::from(password.trim_end_matches(['\r', '\n']));
    let sql = Sql::open(&settings.database_url).await?;
    let password_hash = Hasher::new(1, settings.password_min)?.hash(password, name.shown().to_owned()).await?;
    let user = User { id: UserId::random(), name: name.shown().to_owned(), role, password_hash, is_disabled: false };
    let added = Users::new(sql.clone()).insert(&user, name.folded(), Clock::system().now()).await?;
    sql.close().await;
    if !added {
        return Err(NameTaken.into());
    }
    writeln!(std::io::stdout(), "added {} with the role {}", name.shown(), role.name())?;
    Ok(())
}
