//! Divides a Rust file into code, comments and strings. Line breaks stay where they are.

use regex::Regex;

pub struct RustText {
    pub code: String,
    pub comments: String,
    pub strings: String,
}

/// Comments, raw strings, strings, characters. Lifetimes do not match.
const TOKENS: &str = concat!(
    r#"(?s)(?P<comment>//[^\n]*|/\*.*?\*/)"#,
    r###"|(?P<string>\br##".*?"##|\bb?r#".*?"#|\bb?r"[^"]*"|"(?:\\.|[^"\\])*")"###,
    r"|(?P<char>'(?:\\'|\\[^\n']+|[^\\'\n])')",
);

impl RustText {
    pub fn of(text: &str) -> Self {
        let blank = blank(text);
        let (mut code, mut comments, mut strings) = (text.to_owned(), blank.clone(), blank);
        for token in Regex::new(TOKENS).expect("a pattern").captures_iter(text) {
            let range = token.get(0).expect("a match").range();
            if let Some(comment) = token.name("comment") {
                let marker = comment.as_str().find(|c| !"/*!".contains(c)).unwrap_or(comment.len());
                let body = " ".repeat(marker) + &comment.as_str()[marker..];
                comments.replace_range(range.clone(), &body);
            } else if let Some(string) = token.name("string") {
                // A line that goes on, and an escaped line break, divide words as a space does.
                let body = string.as_str().replace("\\\n", " \n").replace("\\n", "  ");
                strings.replace_range(range.clone(), &body);
            }
            let blank = self::blank(&text[range.clone()]);
            code.replace_range(range, &blank);
        }
        Self { code, comments, strings }
    }
}

/// Of the same number of bytes, and with the same line breaks.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

#[test]
fn code_comments_and_strings_are_told_apart() {
    let parted = RustText::of("let a: &'b str = \"// c\\\" \\\n d\"; // \"e\"\n/// f\nlet g = '\"'; r#\"h\"i\"#");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&parted.code), "let a: &'b str = ; let g = ;");
    assert_eq!(words(&parted.comments), "\"e\" f");
    assert_eq!(words(&parted.strings), "\"// c\\\" d\" r#\"h\"i\"#");
    assert_eq!(parted.strings.lines().count(), 4);
}
