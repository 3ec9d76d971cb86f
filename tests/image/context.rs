//! The rules of .dockerignore: which files `docker build` sends to the engine.

use super::inputs::repository_text;

/// A path leaves the context or returns to it by the last rule that matches the path or a folder above it.
/// <https://docs.docker.com/build/concepts/context/#dockerignore-files>
pub struct Context {
    rules: Vec<Rule>,
}

struct Rule {
    /// With `!`: what matches is in the context.
    keeps: bool,
    /// With `**/`: the pattern may begin in any folder.
    anywhere: bool,
    /// One pattern for each part of the path. `*` stands for any text within a part.
    parts: Vec<String>,
}

impl Context {
    pub fn of_the_repository() -> Self {
        Self::parse(&repository_text(".dockerignore")).unwrap_or_else(|error| panic!(".dockerignore: {error}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self { rules: lines.map(Rule::parse).collect::<Result<_, _>>()? })
    }

    /// Whether the file is in the context; `path` begins at the root of the repository.
    pub fn has(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        self.rules.iter().rev().find(|rule| rule.matches(&path)).is_none_or(|rule| rule.keeps)
    }
}

impl Rule {
    /// Refuses what Docker knows and [`Rule::matches`] does not: a wrong reading would hide a missing file.
    fn parse(line: &str) -> Result<Self, String> {
        let (keeps, pattern) = line.strip_prefix('!').map_or((false, line), |pattern| (true, pattern));
        let (anywhere, pattern) = pattern.strip_prefix("**/").map_or((false, pattern), |pattern| (true, pattern));
        let parts: Vec<String> = pattern.split('/').map(str::to_owned).collect();
        let unknown = |part: &String| {
            part.trim() != part
                || ["", ".", ".."].contains(&part.as_str())
                || part.contains("**")
                || part.contains(['?', '[', ']', '\\'])
        };
        if parts.iter().any(unknown) {
            return Err(format!("tests/image/context.rs cannot read the line `{line}`"));
        }
        Ok(Self { keeps, anywhere, parts })
    }

    fn matches(&self, path: &[&str]) -> bool {
        let fits = |folders: &[&str]| self.parts.iter().zip(folders).all(|(part, name)| part_matches(part, name));
        let mut places = path.windows(self.parts.len());
        if self.anywhere { places.any(fits) } else { places.next().is_some_and(fits) }
    }
}

fn part_matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    ends.any(|at| part_matches(rest, &name[at..]))
}

/// The cases are from Docker's documentation, and from what differs from .gitignore.
#[test]
fn rules_mean_what_they_mean_to_docker() {
    let kept = |rules: &str, path: &str| Context::parse(rules).unwrap().has(path);
    assert!(kept("", "src/lib.rs"));
    assert!(!kept("*", "src/lib.rs"), "a rule for a folder is one for all that it holds");
    assert!(kept("*\n!src", "src/store/sql.rs"));
    assert!(kept("*\n!docs/figures.json", "docs/figures.json"), "a file returns although its folder stays out");
    assert!(!kept("*\n!docs/figures.json", "docs/workshop.md"));
    assert!(kept("*.db", "src/a.db"), "without **/ a pattern begins at the root");
    assert!(!kept("**/*.db", "a.db") && !kept("**/*.db", "src/store/a.db") && !kept("**/*.db", "src/a.db/b"));
    assert!(!kept("*/temp*", "folder/temporary.txt") && kept("*/temp*", "a/b/temporary.txt"));
    assert!(kept("*\n!benches/*.rs", "benches/a.rs") && !kept("*\n!benches/*.rs", "benches/stage/a.rs"));
    let last_wins = "*.md\n!README*.md\nREADME-secret.md";
    assert!(kept(last_wins, "README.md") && !kept(last_wins, "README-secret.md"));
    assert!(kept("*.md\nREADME-secret.md\n!README*.md", "README-secret.md"));
}

#[test]
fn rules_that_this_test_cannot_read_are_refused() {
    for line in ["temp?", "[ab].rs", "a/**/b", "src/**", "/src", "src/", "./src", "a/../b", " src", "src ", "!", "\\!a"]
    {
        assert!(Context::parse(line).is_err(), "{line}");
    }
}
