//! What `--help` shows: examples first, and for each command only the options that change what it does.

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

pub(super) const EXAMPLES: &str = "\
Examples:
  jwt-vs-session                      Serve this machine, with the demo users alice, bob and carol
  jwt-vs-session lab revocation       Measure how long nodes accept a revoked login
  jwt-vs-session --listen 0.0.0.0:5000 --public-url https://login.example
                                      Serve others, behind a proxy that speaks https";

pub(super) const EXIT_STATUS: &str = "\
Every server option has an environment variable of the same name in capitals: --redis-url is REDIS_URL.

Exit status: 0 after success, 2 if an option is wrong, 1 if something else failed.";

/// Behind the help of a lab. The options of the server would drown the lab's own.
const OF_LAB: &str = "\
A lab takes the options of the server, too, such as --database-url, --redis-url, --jwt-algorithm and --access-ttl.
`jwt-vs-session serve --help` lists them.";

/// Options that matter to the server, and to no list.
const OF_SERVER: [&str; 10] = [
    "listen",
    "public_url",
    "login_rate",
    "trusted_proxy",
    "connections_per_network",
    "node",
    "figures",
    "demo",
    "demo_password",
    "no_demo",
];

/// The command line. Every server option is valid behind every command, so that an environment serves them all; the help
/// of a command hides those that do nothing there.
pub(super) fn command() -> Command {
    let command = Cli::command();
    let options: Vec<Arg> = command.get_arguments().filter(|option| option.is_global_set()).cloned().collect();
    let command = command.mut_subcommands(|it| {
        let matters: fn(&str) -> bool = match it.get_name() {
            "serve" => |_| true,
            "key" => |id| id == "jwt_algorithm",
            "user" => is_for_users,
            "reset" => |id| {
                let of_demo = matches!(id, "listen" | "public_url" | "demo" | "demo_password" | "no_demo");
                of_demo || is_for_users(id)
            },
            "completions" | "lab" => |_| false,
            _ => |id| !OF_SERVER.contains(&id),
        };
        let hidden = options.iter().filter(|option| !matters(option.get_id().as_str()));
        it.args(hidden.cloned().map(|option| option.hide(true)))
    });
    command.mut_subcommand("lab", |lab| lab.after_help(OF_LAB).mut_subcommands(|one| one.after_help(OF_LAB)))
}

/// Options of the commands that change users in the SQL database.
fn is_for_users(id: &str) -> bool {
    matches!(id, "database_url" | "database_password_file" | "password_min" | "access_ttl" | "short_ttl")
}
