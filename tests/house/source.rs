//! The files of the repository, and how a test reports what is wrong with them.

use std::fs;
use std::path::Path;

use proc_macro2::TokenTree;
use syn::{Attribute, Item};

/// A parsed file of Rust.
pub struct Source {
    /// Relative to the repository.
    pub path: String,
    pub text: String,
    pub syntax: syn::File,
}

impl Source {
    pub fn read(path: &str) -> Self {
        let text = text(path);
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text, syntax }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn exists(path: &str) -> bool {
    root().join(path).is_file()
}

/// Every file of a folder and of the folders in it, sorted, relative to the repository.
pub fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).expect("a folder of the repository") {
        let entry = entry.expect("a file of the repository");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("the type of a file").is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Every Rust file of `src/`.
pub fn sources() -> Vec<Source> {
    files("src").iter().filter(|path| is_rust(path)).map(|path| Source::read(path)).collect()
}

/// Whether `#[cfg(test)]` stands before the item.
pub fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let named = |tree: TokenTree, name: &str| matches!(tree, TokenTree::Ident(ident) if ident == name);
        list.path.is_ident("cfg") && list.tokens.clone().into_iter().next().is_some_and(|tree| named(tree, "test"))
    })
}

/// The attributes of the items that this crate puts behind `#[cfg(test)]`.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Fails the test if there are findings, and prints each on a line of its own.
#[track_caller]
pub fn report(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n\n{}\n\nFindings: {}", findings.join("\n"), findings.len());
}
