//! No circle of imports: a reader can begin at the bottom and never meets a name that is defined further up.
//!
//! A module and what stands below it may need each other: that is how Rust code is split into files. So each module is
//! tested for circles among the files below it, without its own file, and a circle counts if it ties two of its children.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Imports, imports};
use super::modules::Modules;
use super::source::report;

#[test]
fn modules_import_in_no_circle() {
    let tree = Modules::of_library();
    let imports = imports(&tree);
    let circles: BTreeSet<_> = tree.of_file.iter().flat_map(|&module| circles_below(&tree, &imports, module)).collect();
    let findings: Vec<_> = circles.iter().map(|circle| describe(&tree, &imports, circle)).collect();
    report("These files import each other in a circle. Move what they share into a file below them.", &findings);
}

type Circle = BTreeSet<usize>;

/// The circles among the files below a module that tie at least two of its children.
fn circles_below(tree: &Modules, imports: &Imports, module: usize) -> BTreeSet<Circle> {
    let mut child_of = BTreeMap::new();
    for &child in tree.all[module].children.values() {
        let below = (0..tree.sources.len()).filter(|&file| tree.is_within(tree.of_file[file], child));
        child_of.extend(below.map(|file| (file, child)));
    }
    let mut circles = groups(&child_of.keys().copied().collect(), imports);
    circles.retain(|circle| circle.iter().map(|file| child_of[file]).collect::<BTreeSet<_>>().len() > 1);
    circles.into_iter().map(|circle| without_branches(tree, imports, circle)).collect()
}

/// Without the files that are tied to the circle only by their own parent or child.
fn without_branches(tree: &Modules, imports: &Imports, mut circle: Circle) -> Circle {
    let is_tied = |one, other| imports.contains_key(&(one, other)) || imports.contains_key(&(other, one));
    let is_family = |one: usize, other: usize| {
        let (one, other) = (tree.of_file[one], tree.of_file[other]);
        tree.is_within(one, other) || tree.is_within(other, one)
    };
    loop {
        let branch = circle.iter().copied().find(|&file| {
            let tied: Vec<_> = circle.iter().filter(|&&other| other != file && is_tied(file, other)).collect();
            tied.len() == 1 && is_family(file, *tied[0])
        });
        let Some(branch) = branch else { return circle };
        circle.remove(&branch);
    }
}

/// The strongly connected groups of more than one file.
fn groups(files: &BTreeSet<usize>, imports: &Imports) -> BTreeSet<Circle> {
    let reached: BTreeMap<_, _> = files.iter().map(|&file| (file, reached_from(file, files, imports))).collect();
    let group = |file: &usize| reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect();
    files.iter().map(group).filter(|group: &Circle| group.len() > 1).collect()
}

/// The files that a file needs, directly or through others. Only a file in a circle reaches itself.
fn reached_from(file: usize, files: &BTreeSet<usize>, imports: &Imports) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(next) = open.pop() {
        let needed = imports.range((next, 0)..=(next, usize::MAX)).map(|(&(_, to), _)| to);
        open.extend(needed.filter(|to| files.contains(to) && reached.insert(*to)));
    }
    reached
}

fn describe(tree: &Modules, imports: &Imports, circle: &Circle) -> String {
    let path = |file: usize| &tree.sources[file].path;
    let mut lines = vec![format!("a circle of {} files:", circle.len())];
    for (&(from, to), names) in imports {
        if circle.contains(&from) && circle.contains(&to) {
            let line = names.values().min().copied().unwrap_or_default();
            let names: Vec<_> = names.keys().map(String::as_str).collect();
            lines.push(format!("  {}:{line}: needs {} of {}", path(from), names.join(", "), path(to)));
        }
    }
    lines.join("\n")
}
