//! Files and functions that fit on a few screens, and modules that say what they are.

use std::collections::BTreeSet;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::modules::Modules;
use super::source::{report, sources};

/// Lines of a file. The aim is 250.
const FILE: usize = 300;

/// Lines of a function, without its docstring and attributes. The aim is 40.
const FUNCTION: usize = 60;

#[test]
fn files_and_functions_stay_short() {
    let mut findings = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > FILE {
            findings.push(format!("{}:1: {lines} lines, at most {FILE}: split the file", source.path));
        }
        let mut functions = Functions::default();
        functions.visit_file(&source.syntax);
        for (name, line, lines) in functions.found {
            if lines > FUNCTION {
                let path = &source.path;
                findings.push(format!("{path}:{line}: `{name}` has {lines} lines, at most {FUNCTION}: split it"));
            }
        }
    }
    report("These files or functions are too long.", &findings);
}

#[test]
fn every_module_says_what_it_is() {
    let library: BTreeSet<_> = Modules::of_library().sources.into_iter().map(|source| source.path).collect();
    let findings: Vec<_> = sources()
        .into_iter()
        // The library leaves out the files of tests.
        .filter(|source| source.path == "src/main.rs" || library.contains(&source.path))
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}:1: begin with `//!` and say what the module does or is", source.path))
        .collect();
    report("These modules do not say what they are.", &findings);
}

/// Name, first line and number of lines of every function.
#[derive(Default)]
struct Functions {
    found: Vec<(String, usize, usize)>,
}

impl Functions {
    fn add(&mut self, signature: &Signature, block: &Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        self.found.push((signature.ident.to_string(), first, last - first + 1));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
