//! What is in the build context, and what is not.

use std::collections::BTreeSet;
use std::fs;

use super::context::Context;
use super::inputs::{cargo, in_repository, inputs, repository_text, targets};

#[test]
fn the_context_has_every_file_that_the_build_reads() {
    let context = Context::of_the_repository();
    let missing: Vec<String> = inputs()
        .into_iter()
        .filter(|(path, _)| !context.has(path))
        .map(|(path, reader)| format!("{reader} reads {path}, but .dockerignore keeps it out of the build context"))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// cargo builds nothing while a bench that Cargo.toml names is missing, or Cargo.lock. It checks that before it fetches
/// the dependencies, and these are there already.
#[test]
fn cargo_accepts_the_manifest_of_the_context() {
    let context = Context::of_the_repository();
    let copy = tempfile::tempdir().unwrap();
    for name in ["Cargo.toml", "Cargo.lock"].into_iter().filter(|name| context.has(name)) {
        fs::write(copy.path().join(name), repository_text(name)).unwrap();
    }
    for path in targets().iter().map(|target| in_repository(&target.path)).filter(|path| context.has(path)) {
        let file = copy.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    let arguments = ["fetch", "--locked", "--offline", "--target=host-tuple"];
    let output = cargo().args(arguments).current_dir(copy.path()).output().expect("cargo starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo refuses what .dockerignore leaves of the package: {error}");
}

/// git ignores databases, keys and compiled files, and the image needs none of them.
#[test]
fn no_database_no_key_and_no_history_is_in_the_context() {
    let context = Context::of_the_repository();
    let mut folders: BTreeSet<String> = inputs().keys().map(|path| folder(path)).collect();
    folders.extend(["", "docs/", "benches/", "tests/"].map(str::to_owned));
    let mut unwanted = vec![".git/config".to_owned(), ".env".to_owned()];
    for pattern in repository_text(".gitignore").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = pattern.replace('*', "jwt-vs-session");
        match name.strip_prefix('/') {
            Some(at_the_root) => unwanted.push(format!("{at_the_root}file")),
            None => unwanted.extend(folders.iter().map(|folder| format!("{folder}{name}"))),
        }
    }
    for expected in ["src/jwt-vs-session.db", "src/jwt-vs-session.key", "target/file"] {
        assert!(unwanted.iter().any(|path| path == expected), "{expected}: .gitignore has changed its form");
    }
    for path in unwanted {
        assert!(!context.has(&path), "{path} would be in the build context");
    }
}

/// The folder of a path, with its slash.
fn folder(path: &str) -> String {
    path.rfind('/').map_or_else(String::new, |at| path[..=at].to_owned())
}
