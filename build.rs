//! Puts the templates into the binary, parsed once here so that a broken one fails the build.

fn main() {
    minijinja_embed::embed_templates!("templates", &[".html"]);
}
