//! Puts the templates, the compressed assets and the figures into the binary. Parses each template, so that a broken one
//! fails the build.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The endings of the assets that are text.
const TEXTS: [&str; 3] = ["css", "js", "svg"];

fn main() {
    minijinja_embed::embed_templates!("templates", &[".html"]);
    compress_assets();
    embed_figures();
    name_compiler();
}

fn out_dir() -> PathBuf {
    std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default()
}

/// Compresses each asset that is text as far as it goes: once here, instead of for each request.
fn compress_assets() {
    let entries = std::fs::read_dir("templates").unwrap_or_else(|error| panic!("templates: {error}"));
    let files = entries.map(|entry| entry.unwrap_or_else(|error| panic!("templates: {error}")).path());
    for file in files.filter(|file| TEXTS.iter().any(|ending| file.extension().is_some_and(|it| it == *ending))) {
        println!("cargo:rerun-if-changed={}", file.display());
        let plain = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        keep_smaller(&file, "br", &plain, brotli(&plain));
        keep_smaller(&file, "gz", &plain, gzip(&plain));
    }
}

/// Writes the compressed asset, or an empty file if it is not smaller: `src/page/assets.rs` leaves that out.
fn keep_smaller(file: &Path, ending: &str, plain: &[u8], compressed: Vec<u8>) {
    let name = file.file_name().unwrap_or_default().display();
    let kept = if compressed.len() < plain.len() { compressed } else { Vec::new() };
    std::fs::write(out_dir().join(format!("{name}.{ending}")), kept).unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, size_hint: plain.len(), ..Default::default() };
    let mut compressed = Vec::new();
    let done = brotli::BrotliCompress(&mut &plain[..], &mut compressed, &parameters);
    done.unwrap_or_else(|error| panic!("brotli: {error}"));
    compressed
}

/// The header names no file and no time: the same content gives the same bytes.
fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let done = encoder.write_all(plain).and_then(|()| encoder.finish());
    done.unwrap_or_else(|error| panic!("gzip: {error}"))
}

/// Embeds the figures of the last run of the benches. Without figures it embeds an empty file.
fn embed_figures() {
    // The file and not its folder: tests/image.rs reads this line to learn what the image's build needs of docs/.
    println!("cargo:rerun-if-changed=docs/figures.json");
    let figures = std::fs::read("docs/figures.json").unwrap_or_default();
    std::fs::write(out_dir().join("figures.json"), figures).unwrap_or_else(|error| panic!("figures.json: {error}"));
}

/// Names the compiler: reports of measurements print it.
fn name_compiler() {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(compiler).arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo:rustc-env=COMPILER={}", version.unwrap_or_else(|_| "rustc".to_owned()));
}
