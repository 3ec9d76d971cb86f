//! Which file needs which other file, by the names that it takes from it.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Macro, Path, Visibility};

use super::modules::{Modules, leaves};
use super::source::{attributes, is_test_only};

/// For two files, the first line that needs each name. The first file needs the second one.
pub type Imports = BTreeMap<(usize, usize), BTreeMap<String, usize>>;

/// The imports of every file of the library. A name that is imported through a re-export is imported from both files.
pub fn imports(tree: &Modules) -> Imports {
    let mut reader = Reader { tree, module: 0, imports: Imports::new() };
    for (source, &module) in tree.sources.iter().zip(&tree.of_file) {
        reader.module = module;
        reader.visit_file(&source.syntax);
    }
    reader.imports
}

struct Reader<'a> {
    tree: &'a Modules,
    module: usize,
    imports: Imports,
}

impl Reader<'_> {
    fn add(&mut self, path: &[String], line: usize) {
        let own = self.tree.all[self.module].file;
        for file in self.tree.resolve(self.module, path) {
            if file != own {
                let name = path.last().cloned().unwrap_or_default();
                self.imports.entry((own, file)).or_default().entry(name).or_insert(line);
            }
        }
    }

    /// Whether the path leads only to files below the module.
    fn is_below(&self, path: &[String]) -> bool {
        let files = self.tree.resolve(self.module, path);
        files.iter().all(|&file| self.tree.is_within(self.tree.of_file[file], self.module))
    }

    /// The paths in the tokens of a macro, which syn does not parse.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for tree in tokens {
            match tree {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add(&std::mem::take(&mut path), line);
                    }
                    (line, colons) = (ident.span().start().line, 0);
                    path.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                _ => colons = 0,
            }
        }
        self.add(&path, line);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_only(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        // A module in a file of its own is read with that file.
        if item.content.is_some() {
            let outer = self.module;
            self.module = self.tree.all[outer].children[&item.ident.to_string()];
            visit::visit_item_mod(self, item);
            self.module = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_private = matches!(item.vis, Visibility::Inherited);
        for leaf in leaves(&item.tree) {
            // A module that re-exports its children does not need them by that.
            if is_private || !self.is_below(&leaf.path) {
                self.add(&leaf.path, item.span().start().line);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&names, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.add_tokens(call.tokens.clone());
    }

    /// `pub(super)` needs nothing of the parent.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
