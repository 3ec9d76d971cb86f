//! Puts the templates into the binary, parsed once here so that a broken one fails the build; and the compiler's version,
//! which belongs to every figure that is measured.

use std::process::Command;

fn main() {
    minijinja_embed::embed_templates!("templates", &[".html"]);
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    println!("cargo:rustc-env=COMPILER={version}");
}
