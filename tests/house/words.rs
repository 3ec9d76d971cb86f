//! One word for one thing: no name, comment, page or file uses a word that `word_list.rs` lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::{Regex, RegexBuilder};

use super::rust_text::RustText;
use super::source::{files, is_rust, report, text};
use super::word_list::{ALLOWED, WORDS};

/// Where a pattern is searched for.
#[derive(Clone, Copy, PartialEq)]
pub enum Scope {
    /// Comments, strings, pages.
    Prose,
    /// Prose, and the words in identifiers and file names.
    Text,
    /// Code, with regard to case.
    Code,
    /// The name of a struct, enum, trait, type or union of Rust code.
    Type,
    /// The name of a module or file.
    Module,
}

struct Pattern {
    scope: Scope,
    regex: Regex,
    /// As it stands in the list.
    listed: &'static str,
    instead: &'static str,
}

impl Pattern {
    fn new((scope, listed, instead): (Scope, &'static str, &'static str)) -> Self {
        // One line break at most: a paragraph does not go on in the next one.
        let gap = r"(?:[ \t-]+|[ \t-]*\n[ \t]*)";
        let (pattern, any_case) = match scope {
            Scope::Prose | Scope::Text => {
                (format!(r"\b(?:{})(?:\b|$|[^\w])", listed.replace(" ?", "\u{0}").replace(' ', gap)), true)
            }
            Scope::Code => (format!(r"\b(?:{listed})\b"), false),
            Scope::Type => (format!(r"\b(?:struct|enum|trait|type|union)\s+(?:{listed})\b"), false),
            Scope::Module => (format!(r"\bmod\s+(?:{listed})\b"), false),
        };
        let pattern = pattern.replace('\u{0}', &format!("{gap}?"));
        let regex = RegexBuilder::new(&pattern).case_insensitive(any_case).build().expect("a pattern of the list");
        Self { scope, regex, listed, instead }
    }
}

#[test]
fn no_word_of_the_glossarys_not_column() {
    let patterns: Vec<_> = WORDS.iter().map(|&row| Pattern::new(row)).collect();
    let (mut findings, mut totals) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for path in searched() {
        for (line, listed, words, instead) in in_file(&patterns, &path) {
            findings.push(format!("{path}:{line}: \"{words}\": use {instead}"));
            *totals.entry(listed).or_default() += 1;
        }
    }
    let mut totals: Vec<_> = totals.into_iter().collect();
    totals.sort_by_key(|&(listed, count)| (std::cmp::Reverse(count), listed));
    let totals: Vec<_> = totals.iter().map(|(listed, count)| format!("{count:6}  {listed}")).collect();
    let rule = format!("These words have a better one. Findings for each pattern:\n{}", totals.join("\n"));
    report(&rule, &findings);
}

/// Everything that people read.
fn searched() -> Vec<String> {
    let mut paths: Vec<_> = ["src", "benches", "tests"].iter().flat_map(|folder| files(folder)).collect();
    paths.retain(|path| is_rust(path) && path != "tests/house/word_list.rs");
    paths.push("build.rs".to_owned());
    paths.extend(files("templates").into_iter().filter(|path| path != "templates/favicon.ico"));
    paths.extend(
        files("docs").into_iter().filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "md")),
    );
    paths.extend(["README.md", "Cargo.toml", "Dockerfile", "docker-compose.yml", "tests/run"].map(ToOwned::to_owned));
    paths
}

type Finding = (usize, &'static str, String, &'static str);

fn in_file(patterns: &[Pattern], path: &str) -> BTreeSet<Finding> {
    let text = text(path);
    let rust = is_rust(path).then(|| RustText::of(&text));
    let streams = match &rust {
        Some(rust) => vec![(true, rust.code.as_str()), (false, &rust.comments), (false, &rust.strings)],
        None => vec![(false, text.as_str())],
    };
    let mut found = BTreeSet::new();
    for (is_code, stream) in streams {
        let words = divided(stream);
        for pattern in patterns {
            let text = match pattern.scope {
                Scope::Text => &words,
                Scope::Prose if !is_code => &words,
                Scope::Code | Scope::Type | Scope::Module if is_code => stream,
                _ => continue,
            };
            for found_here in pattern.regex.find_iter(text) {
                let line = text[..found_here.start()].matches('\n').count() + 1;
                let words = found_here.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
                let words = words.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned();
                found.insert((line, pattern.listed, words, pattern.instead));
            }
        }
    }
    found.retain(|(line, _, words, _)| !is_allowed(path, text.lines().nth(line - 1).unwrap_or_default(), words));
    found.extend(in_name(patterns, path));
    found
}

/// The words of the path itself.
fn in_name<'a>(patterns: &'a [Pattern], path: &'a str) -> impl Iterator<Item = Finding> + 'a {
    let words = divided(path).replace(['/', '.'], " ");
    patterns.iter().filter_map(move |pattern| {
        let is_named = match pattern.scope {
            Scope::Text => {
                pattern.regex.is_match(&words) && !is_allowed(path, path, pattern.regex.find(&words)?.as_str())
            }
            Scope::Module => path.split(['/', '.']).any(|part| pattern.regex.is_match(&format!("mod {part}"))),
            _ => false,
        };
        is_named.then(|| (1, pattern.listed, format!("the name {path}"), pattern.instead))
    })
}

/// Identifiers as words: `HitRate` and `hit_rate` become `Hit Rate` and `hit rate`.
fn divided(text: &str) -> String {
    let (mut words, mut before) = (String::with_capacity(text.len()), ' ');
    for letter in text.chars() {
        if letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            words.push(' ');
        }
        words.push(if letter == '_' { ' ' } else { letter });
        before = letter;
    }
    words
}

fn is_allowed(path: &str, line: &str, words: &str) -> bool {
    let words = words.trim().to_lowercase();
    ALLOWED.iter().any(|(files, around, _)| {
        path.starts_with(files) && line.contains(around) && divided(around).to_lowercase().contains(&words)
    })
}

#[test]
fn identifiers_are_read_as_words_and_allowed_text_is_left_alone() {
    let pattern = Pattern::new((Scope::Text, "rate ?limits?", "bound"));
    for text in ["RateLimit", "rate_limits", "rate-limit", "the rate\n    limit", "ratelimit"] {
        assert!(pattern.regex.is_match(&divided(text)), "{text}");
    }
    for text in ["rate\n\nlimit", "limit rate", "the rate is a limit"] {
        assert!(!pattern.regex.is_match(&divided(text)), "{text}");
    }
    assert!(is_allowed("src/store/sql.rs", "FROM cut_offs", "cut offs"));
    assert!(is_allowed("src/auth/jwt/claims.rs", "fn visit_u64(self)", "visit"));
    assert!(!is_allowed("src/flow/home.rs", "fn visit_u64(self)", "visit"));
    assert!(!is_allowed("src/auth/jwt/claims.rs", "the visit of a page", "visit"));
}
