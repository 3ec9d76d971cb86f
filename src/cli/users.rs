//! Commands that end users: `user disable`, `user enable`, `user delete` and `reset`. They write to the SQL database; the
//! running nodes read that there.

use std::io::{IsTerminal as _, Write as _};

use super::Outcome;
use crate::account::UserName;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Settings;
use crate::flow::{ENDED_WITHIN, when_refused};
use crate::identity::UserId;
use crate::security_log::{self, EventSource, SecurityEvent};
use crate::store::Sql;
use crate::store::ended_users::EndedUsers;
use crate::store::login_failures::LoginFailures;
use crate::store::users::Users;

/// What is done to a user.
#[derive(Clone, Copy)]
pub(super) enum UserChange {
    Disable,
    Enable,
    Delete,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no user of this name")]
struct NoSuchUser;

/// A wrong use of the command: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResetRefused {
    #[error("reset deletes every user: give --yes, because standard input is no terminal")]
    NoTerminal,
    #[error("nothing was reset")]
    NotConfirmed,
}

pub(super) async fn change(settings: &Settings, name: &str, change: UserChange) -> Outcome {
    let sql = Sql::open(&settings.database_url).await?;
    let outcome = changed(&sql, name, change).await;
    sql.close().await;
    writeln!(std::io::stdout(), "{}", outcome?)?;
    if matches!(change, UserChange::Enable) { Ok(()) } else { print_effects(settings).await }
}

async fn changed(sql: &Sql, name: &str, change: UserChange) -> Result<String, Box<dyn std::error::Error>> {
    let user = Users::new(sql.clone()).find(&UserName::fold(name)).await?.ok_or(NoSuchUser)?;
    let (ended, name) = (EndedUsers::new(sql.clone(), Clock::system()), user.name);
    let (done, words, event) = match change {
        UserChange::Disable => (ended.disable(user.id).await?, "disabled", disabled(user.id)),
        UserChange::Enable => {
            LoginFailures::new(sql.clone(), Clock::system()).clear(&UserName::fold(&name)).await?;
            (ended.enable(user.id).await?, "enabled", SecurityEvent::UserEnabled { target_user_id: user.id })
        }
        UserChange::Delete => {
            (ended.delete(user.id).await?, "deleted", SecurityEvent::UserDeleted { target_user_id: user.id })
        }
    };
    if !done {
        return Ok(format!("{name} is {words} already"));
    }
    log(&event);
    Ok(format!("{words} {name}"))
}

/// Writes the event to this command's own standard error: the nodes did not do this.
fn log(event: &SecurityEvent) {
    security_log::start("command-line");
    security_log::record(&EventSource::default(), event);
    security_log::flush();
}

fn disabled(user: UserId) -> SecurityEvent {
    SecurityEvent::UserDisabled { target_user_id: user }
}

/// Says when nodes refuse the revoked logins, for each mount.
async fn print_effects(settings: &Settings) -> Outcome {
    let within = humantime::format_duration(ENDED_WITHIN);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "Every running node revokes the logins within {within}, as far as the strategy can; a later one does so at its start:"
    )?;
    for description in App::descriptions(settings).await? {
        writeln!(out, "  {:<17} {}", format!("/{}", description.slug), when_refused(description.promise))?;
    }
    Ok(())
}

/// Deletes every user and seeds the demo users again.
pub(super) async fn reset(settings: &Settings, yes: bool) -> Outcome {
    if !yes {
        confirm(settings)?;
    }
    let (deleted, demo) = App::reset(settings).await?;
    log(&SecurityEvent::Reset { deleted_users: deleted });
    let users = if deleted == 1 { "user" } else { "users" };
    writeln!(std::io::stdout(), "deleted {deleted} {users}")?;
    match demo.filter(|demo| !demo.users.is_empty()) {
        Some(demo) => {
            let names: Vec<_> = demo.users.iter().map(|user| user.name.as_str()).collect();
            writeln!(std::io::stdout(), "demo users {} with the password {}", names.join(", "), demo.printed)?;
        }
        None => writeln!(std::io::stdout(), "There are no demo users with these settings: use `user add NAME`.")?,
    }
    print_effects(settings).await
}

fn confirm(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    if !std::io::stdin().is_terminal() {
        return Err(ResetRefused::NoTerminal.into());
    }
    write!(std::io::stderr(), "Delete every user in the {} and revoke every login? Type yes: ", settings.database_url)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(ResetRefused::NotConfirmed.into()) }
}
