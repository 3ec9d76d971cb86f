//! What the build of the program reads from the repository. Nothing is listed here: cargo, the compiler and build.rs
//! say it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The folder of build.rs's results, in the same target folder as the program that was built for this test.
const OUT_DIR: &str = env!("OUT_DIR");

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().expect("the repository")
}

pub fn repository_text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A target of the package: the library, a program, build.rs, a bench or a test.
pub struct Target {
    pub kind: String,
    pub path: PathBuf,
}

pub fn targets() -> Vec<Target> {
    let arguments = ["metadata", "--no-deps", "--offline", "--locked", "--format-version=1"];
    let output = cargo().args(arguments).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let targets = metadata["packages"][0]["targets"].as_array().expect("the package's targets");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    targets.iter().map(|it| Target { kind: text(&it["kind"][0]), path: text(&it["src_path"]).into() }).collect()
}

/// Every file that the build of the program reads, with who reads it.
pub fn inputs() -> BTreeMap<String, &'static str> {
    let mut inputs = BTreeMap::new();
    for Target { kind, path } in targets() {
        if kind == "custom-build" {
            inputs.insert(in_repository(&path), "cargo");
        } else if kind == "lib" || kind == "bin" {
            let files = compiled_from(&kind, &path);
            inputs.extend(files.iter().map(|file| (in_repository(file), "the compiler")));
        }
    }
    inputs.extend(watched().iter().map(|file| (in_repository(file), "build.rs")));
    inputs
}

/// The path from the root of the repository; a file outside of it keeps its whole path.
pub fn in_repository(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.strip_prefix(root()).unwrap_or(&path).to_str().expect("a path in UTF-8").to_owned()
}

/// The files that the compiler read for the library or the program, without those that build.rs wrote.
fn compiled_from(kind: &str, main_file: &Path) -> Vec<PathBuf> {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().expect("a folder");
    let prefix = env!("CARGO_PKG_NAME").replace('-', "_") + "-";
    let files = fs::read_dir(folder).expect("the folder of this test").map(|entry| entry.unwrap().path());
    let dep_infos = files.filter(|file| {
        file.extension().is_some_and(|extension| extension == "d")
            && file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    });
    let found =
        dep_infos.filter_map(|file| read_dep_info(&file, kind)).find(|read| read.contains(&main_file.to_owned()));
    found.unwrap_or_else(|| {
        let (folder, main_file) = (folder.display(), main_file.display());
        panic!("{folder}: the compiler's list of sources of {main_file} is missing or old; run `cargo test` again")
    })
}

/// By the name of the folder, which has a hash: a target folder that was copied still names its first place.
fn is_from_build_script(path: &Path) -> bool {
    let own_folder = Path::new(OUT_DIR).parent().and_then(Path::file_name);
    path.iter().any(|part| Some(part) == own_folder)
}

/// The sources in a list (dep-info) that the compiler left for cargo. None for a list of the library's unit tests, and
/// for one of an older build: as for cargo, a list is old when a source changed after it.
fn read_dep_info(list: &Path, kind: &str) -> Option<Vec<PathBuf>> {
    let text = fs::read_to_string(list).ok()?;
    // Clippy and `cargo check` leave lists, too, which name what only they read.
    let is_of_a_build = if kind == "lib" { text.contains(".rlib:") } else { !text.contains(".rmeta:") };
    if !is_of_a_build {
        return None;
    }
    let written = list.metadata().ok()?.modified().ok()?;
    let sources = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.strip_suffix(':'));
    let sources = sources.map(|source| root().join(source.replace("\\ ", " ")));
    let sources: Vec<PathBuf> = sources.filter(|source| !is_from_build_script(source)).collect();
    let current = |file: &PathBuf| file.metadata().and_then(|it| it.modified()).is_ok_and(|time| time <= written);
    sources.iter().all(current).then_some(sources)
}

/// The files that make cargo run build.rs again when they change: those that it reads.
fn watched() -> Vec<PathBuf> {
    let output = Path::new(OUT_DIR).with_file_name("output");
    let text = fs::read_to_string(&output).unwrap_or_else(|error| panic!("{}: {error}", output.display()));
    let paths = text.lines().filter_map(|line| line.split_once("rerun-if-changed=")).map(|(_, path)| root().join(path));
    // build.rs also watches for a file that may be missing: without it there is nothing to send.
    paths.filter(|path| path.exists()).flat_map(files_below).collect()
}

/// The file itself, or every file of a folder.
fn files_below(path: PathBuf) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path];
    }
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.flat_map(|entry| files_below(entry.unwrap().path())).collect()
}
