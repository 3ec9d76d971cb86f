//! A type's name occurs once in the crate.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Ident, ItemEnum, ItemStruct, ItemTrait, ItemType, ItemUnion};

use super::source::{report, sources};

/// Names that macros oblige every module with a table or a migration to use: sea-orm's derive macros find the parts of
/// an entity by them.
const OBLIGATORY: [&str; 5] = ["ActiveModel", "Column", "Entity", "Model", "Relation"];

#[test]
fn no_type_name_is_used_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        let mut types = Types::default();
        types.visit_file(&source.syntax);
        for (name, line) in types.found {
            places.entry(name).or_default().push(format!("{}:{line}", source.path));
        }
    }
    places.retain(|name, places| places.len() > 1 && !OBLIGATORY.contains(&name.as_str()));
    let findings: Vec<_> = places
        .iter()
        .map(|(name, places)| format!("{}: `{name}` is also defined at {}", places[0], places[1..].join(", ")))
        .collect();
    report("These type names are used twice. Each lacks a word: RevocationReport, CostReport.", &findings);
}

/// Types and traits that are items. Associated types and generics are not.
#[derive(Default)]
struct Types {
    found: Vec<(String, usize)>,
}

impl Types {
    fn add(&mut self, ident: &Ident) {
        self.found.push((ident.to_string(), ident.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.add(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.add(&item.ident);
    }

    fn visit_item_union(&mut self, item: &'ast ItemUnion) {
        self.add(&item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.add(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.add(&item.ident);
        // Its methods may define types of their own.
        visit::visit_item_trait(self, item);
    }
}
