//! `--help`: examples first, only options that matter to the command; and the completions of shells.

use super::program::{command, run};
use crate::common::folder;

async fn printed(arguments: &[&str]) -> String {
    let folder = folder();
    let output = run(command(folder.path(), arguments)).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "{arguments:?} made a file");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn help_begins_with_three_examples() {
    let help = printed(&["--help"]).await;
    let lines: Vec<&str> = help.lines().collect();
    assert_eq!(lines[0], "Examples:");
    let examples = lines[1..].iter().take_while(|line| !line.is_empty());
    assert_eq!(examples.filter(|line| line.starts_with("  jwt-vs-session")).count(), 3, "{help}");
    for words in ["--redis-url is REDIS_URL", "Exit status: 0 after success, 2 if an option is wrong"] {
        assert!(help.contains(words), "{words} in {help}");
    }
}

/// The server's options are valid behind every command, and would drown the command's own.
#[tokio::test]
async fn the_help_of_a_command_shows_the_options_that_matter_to_it() {
    for (arguments, shown, hidden) in [
        (&["user", "add"][..], &["--role", "--database-url"][..], &["--listen", "--redis-url", "--jwt-secret"][..]),
        (&["key"], &["--jwt-algorithm"], &["--listen", "--database-url", "--demo"]),
        (&["strategies"], &["--format", "--redis-url", "--jwt-algorithm"], &["--listen", "--trusted-proxy", "--demo"]),
        (&["lab"], &["revocation", "serve --help"], &["Server options", "--listen", "--session-idle"]),
        (&["lab", "revocation"], &["--trials", "serve --help"], &["Server options", "--listen", "--jwt-secret"]),
        (&["lab", "cost"], &["--delay", "serve --help"], &["Server options", "--login-rate", "--session-idle"]),
        (&["completions"], &["<SHELL>"], &["--listen", "--database-url"]),
        (&["serve"], &["--listen", "--demo-password", "--jwt-key-file"], &[]),
    ] {
        let help = printed(&[arguments, &["--help"]].concat()).await;
        let own = help.find(shown[0]).unwrap_or_else(|| panic!("{} in {help}", shown[0]));
        for option in shown {
            assert!(help.find(option).is_some_and(|at| at >= own), "{arguments:?}: {option} in {help}");
        }
        for option in hidden {
            assert!(!help.contains(option), "{arguments:?}: {option} in {help}");
        }
    }
}

#[tokio::test]
async fn hidden_options_are_still_valid() {
    let folder = folder();
    let output = run(command(folder.path(), &["key", "new.key", "--listen", "127.0.0.1:0"])).await;
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn completions_name_commands_and_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]).await;
        for word in ["jwt-vs-session", "strategies", "demo-password"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
