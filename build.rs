//! Puts the templates and the figures into the binary. Parses each template, so that a broken one fails the build.

fn main() {
    minijinja_embed::embed_templates!("templates", &[".html"]);
    embed_figures();
    name_compiler();
}

/// Embeds the figures of the last run of the benches. Without figures it embeds an empty file.
fn embed_figures() {
    // The file and not its folder: tests/image.rs reads this line to learn what the image's build needs of docs/.
    println!("cargo:rerun-if-changed=docs/figures.json");
    let folder = std::env::var_os("OUT_DIR").map(std::path::PathBuf::from).unwrap_or_default();
    let figures = std::fs::read("docs/figures.json").unwrap_or_default();
    std::fs::write(folder.join("figures.json"), figures).unwrap_or_else(|error| panic!("figures.json: {error}"));
}

/// Names the compiler: reports of measurements print it.
fn name_compiler() {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(compiler).arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo:rustc-env=COMPILER={}", version.unwrap_or_else(|_| "rustc".to_owned()));
}
