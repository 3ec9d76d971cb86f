//! The tree of modules of the library, with the names that each module defines or imports. Modules behind
//! `#[cfg(test)]` are left out.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, ItemMod, UseTree};

use super::source::{Source, attributes, exists, is_test_only};

/// A module: a whole file, or a part of one in braces.
#[derive(Default)]
pub struct Module {
    /// The index of its file.
    pub file: usize,
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    defined: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
}

pub struct Modules {
    pub sources: Vec<Source>,
    /// The first is the root of the crate.
    pub all: Vec<Module>,
    /// For each file, its module.
    pub of_file: Vec<usize>,
}

impl Modules {
    pub fn of_library() -> Self {
        let mut tree = Self { sources: Vec::new(), all: Vec::new(), of_file: Vec::new() };
        tree.add_file("src/lib.rs", "src", None);
        tree
    }

    fn add_file(&mut self, path: &str, folder: &str, parent: Option<usize>) -> usize {
        let source = Source::read(path);
        let items = source.syntax.items.clone();
        let (file, module) = (self.sources.len(), self.all.len());
        self.sources.push(source);
        self.of_file.push(module);
        self.all.push(Module { file, parent, ..Module::default() });
        self.add_items(module, folder, &items);
        module
    }

    fn add_items(&mut self, module: usize, folder: &str, items: &[Item]) {
        for item in items.iter().filter(|item| !is_test_only(attributes(item))) {
            match item {
                Item::Mod(child) => {
                    let id = self.add_child(module, folder, child);
                    self.all[module].children.insert(child.ident.to_string(), id);
                }
                Item::Use(import) => {
                    for leaf in leaves(&import.tree) {
                        self.all[module].imports.extend(leaf.name.map(|name| (name, leaf.path)));
                    }
                }
                _ => self.all[module].defined.extend(name_of(item)),
            }
        }
    }

    fn add_child(&mut self, parent: usize, folder: &str, child: &ItemMod) -> usize {
        let below = format!("{folder}/{}", child.ident);
        if let Some((_, items)) = &child.content {
            let (id, file) = (self.all.len(), self.all[parent].file);
            self.all.push(Module { file, parent: Some(parent), ..Module::default() });
            self.add_items(id, &below, items);
            return id;
        }
        let path = [format!("{below}.rs"), format!("{below}/mod.rs")].into_iter().find(|path| exists(path));
        self.add_file(&path.expect("the file of a module"), &below, Some(parent))
    }

    /// Whether `below` is `above` or stands somewhere below it.
    pub fn is_within(&self, below: usize, above: usize) -> bool {
        let parents = |&module: &usize| self.all[module].parent;
        std::iter::successors(Some(below), parents).any(|module| module == above)
    }

    /// The files that a reader opens to follow a path: the one that re-exports the name, then the one that defines it.
    /// None for a path into another crate.
    pub fn resolve(&self, from: usize, path: &[String]) -> Vec<usize> {
        let mut files = Vec::new();
        self.follow(from, path, 8, &mut files);
        files
    }

    fn follow(&self, from: usize, path: &[String], depth: usize, files: &mut Vec<usize>) {
        let Some((mut module, rest)) = self.start(from, path) else { return };
        for (index, name) in rest.iter().enumerate() {
            let here = &self.all[module];
            if let Some(&child) = here.children.get(name) {
                module = child;
                continue;
            }
            files.push(here.file);
            if let Some(import) = here.imports.get(name)
                && depth > 0
            {
                self.follow(module, &[import, &rest[index + 1..]].concat(), depth - 1, files);
            }
            return;
        }
        files.push(self.all[module].file);
    }

    /// Where a path begins, and what of it is left.
    fn start<'a>(&self, from: usize, path: &'a [String]) -> Option<(usize, &'a [String])> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((0, rest)),
            "self" if rest.first().is_some_and(|next| next == "super") => self.start(from, rest),
            "self" => Some((from, rest)),
            "super" => {
                let parent = self.all[from].parent?;
                if rest.first().is_some_and(|next| next == "super") {
                    return self.start(parent, rest);
                }
                Some((parent, rest))
            }
            name => self.all[from].knows(name).then_some((from, path)),
        }
    }
}

impl Module {
    fn knows(&self, name: &str) -> bool {
        self.children.contains_key(name) || self.defined.contains(name) || self.imports.contains_key(name)
    }
}

/// One name of a `use` declaration.
pub struct Leaf {
    pub path: Vec<String>,
    /// Under which name the module knows it. `None`: all names, or none.
    pub name: Option<String>,
}

pub fn leaves(tree: &UseTree) -> Vec<Leaf> {
    match tree {
        UseTree::Path(path) => {
            let name = path.ident.to_string();
            let mut below = leaves(&path.tree);
            for leaf in &mut below {
                leaf.path.insert(0, name.clone());
                // `use a::{self}` imports `a`.
                if leaf.path.last().is_some_and(|last| last == "self") && leaf.path.len() == 2 {
                    leaf.path.pop();
                    leaf.name = leaf.name.take().map(|own| if own == "self" { name.clone() } else { own });
                }
            }
            below
        }
        UseTree::Name(name) => vec![Leaf { path: vec![name.ident.to_string()], name: Some(name.ident.to_string()) }],
        UseTree::Rename(rename) => {
            let name = Some(rename.rename.to_string()).filter(|name| name != "_");
            vec![Leaf { path: vec![rename.ident.to_string()], name }]
        }
        UseTree::Glob(_) => vec![Leaf { path: Vec::new(), name: None }],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
