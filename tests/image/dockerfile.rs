//! The Dockerfile's form: it lists no file of the repository, and the final stage copies what the build stage made.

use super::inputs::repository_text;

/// The instructions with their arguments, without comments and with continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = repository_text("Dockerfile");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let parts = joined.lines().filter_map(|line| line.split_once(' '));
    parts.map(|(name, arguments)| (name.to_owned(), arguments.trim().to_owned())).collect()
}

/// The arguments of every instruction of that name.
fn all(name: &str) -> Vec<String> {
    instructions().into_iter().filter(|(it, _)| it == name).map(|(_, arguments)| arguments).collect()
}

/// The folders that a RUN mounts: what is written there is in no layer.
fn mounts() -> Vec<String> {
    let runs = all("RUN").join(" ");
    let options = runs.split_whitespace().filter_map(|word| word.strip_prefix("--mount="));
    options
        .flat_map(|option| option.split(','))
        .filter_map(|it| it.strip_prefix("target="))
        .map(str::to_owned)
        .collect()
}

/// A file that the Dockerfile names can be renamed, and then the image no longer builds.
#[test]
fn it_copies_the_context_whole() {
    let copies: Vec<String> = all("COPY").into_iter().filter(|copy| !copy.starts_with("--from=")).collect();
    assert_eq!(copies, [". ."], "COPY . . and .dockerignore say what the build stage gets");
    assert!(all("ADD").is_empty());
    assert_eq!(repository_text("Dockerfile").lines().next(), Some("# syntax=docker/dockerfile:1"), "for RUN --mount");
}

#[test]
fn the_final_stage_copies_what_the_build_stage_made() {
    let program = env!("CARGO_PKG_NAME");
    let build = all("RUN").into_iter().find(|run| run.contains("cargo build")).expect("a RUN with cargo build");
    assert!(build.contains(&format!("cargo build --release --locked --bin {program} ")), "{build}");
    let (_, install) = build.split_once("&& install ").expect("an install after cargo build");
    let (made, folder) = install.split_once(' ').expect("install FILE FOLDER/");
    assert_eq!(made, format!("target/release/{program}"));
    assert!(folder.ends_with('/'), "{folder}");

    let copies = all("COPY");
    let sources = copies.iter().filter_map(|copy| copy.strip_prefix("--from=build ")?.split(' ').next());
    let (programs, others): (Vec<&str>, Vec<&str>) = sources.partition(|source| source.ends_with(program));
    assert_eq!(programs, [format!("{folder}{program}")]);
    // Debian's package ca-certificates writes it, and rust:slim installs that package.
    assert_eq!(others, ["/etc/ssl/certs/ca-certificates.crt"]);
    for mount in mounts() {
        assert!(!programs[0].starts_with(&mount), "{mount} is a cache mount: COPY finds nothing there");
    }
    assert_eq!(all("ENTRYPOINT"), [format!("[\"{program}\"]")]);
}
