//! Pages that are rendered once and filled many times.
//!
//! Most of a page is the same in every request. So a page says of each of its values whether it decides what the page
//! looks like ([`PageValues::fixed`]) or is only printed ([`PageValues::text`]). The first request with new fixed values
//! renders the templates with a mark in place of each text; every later one copies the fixed parts and puts its own texts
//! between them. A debug build also renders the page in the usual way, and panics if the two differ.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::{HtmlEscape, Value};

use crate::error::Error;

/// The most pages that are kept. A server has a few hundred; if there are more, it begins again.
const KEPT: usize = 1024;

/// Before and after the number of a text in a page that is being prepared. No template and no text has these characters.
const MARK: (char, char) = ('\u{1}', '\u{2}');

/// Ends a value in the key.
const END: char = '\u{3}';

/// The values of one page, in the order in which its code names them.
pub struct PageValues {
    purpose: Purpose,
    /// The fixed values.
    key: String,
    /// The texts, escaped, one after another.
    texts: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

/// What the values are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To fill a prepared page: the values for the templates are left out.
    Fill,
    /// To prepare a page: each text is a mark.
    Prepare,
    /// To render a page in the usual way.
    #[cfg_attr(not(debug_assertions), allow(dead_code))]
    Compare,
}

impl PageValues {
    /// The values of a request.
    pub fn collect() -> Self {
        Self::new(Purpose::Fill)
    }

    fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            key: String::with_capacity(512),
            texts: String::with_capacity(4096),
            ends: Vec::with_capacity(64),
        }
    }

    /// A text that may differ in each request. Templates may only print it: where it stands there is a mark at first.
    pub fn text(&mut self, text: &str) -> Value {
        let _ = write!(self.texts, "{}", HtmlEscape(text));
        self.ended(|| Value::from(text))
    }

    /// A text that is HTML already.
    pub fn html(&mut self, html: &str) -> Value {
        self.texts.push_str(html);
        self.ended(|| Value::from_safe_string(html.to_owned()))
    }

    /// A text that decides what the page looks like, and has few different values. Never what a visitor typed: each
    /// value is kept.
    pub fn fixed(&mut self, value: &str) -> Value {
        self.key.push_str(value);
        self.key.push(END);
        if self.purpose == Purpose::Fill { Value::UNDEFINED } else { Value::from(value) }
    }

    /// The same as [`fixed`](Self::fixed), for a condition.
    pub fn flag(&mut self, value: bool) -> Value {
        self.key.push(if value { '1' } else { '0' });
        Value::from(value)
    }

    /// The number of elements in a list: without it, two lists of one page could have the same values.
    pub fn count(&mut self, count: usize) {
        let _ = write!(self.key, "{count}{END}");
    }

    /// Makes a value for the templates from others. Whatever it depends on must be among the values above.
    pub fn shape(&self, make: impl FnOnce() -> Value) -> Value {
        if self.purpose == Purpose::Fill { Value::UNDEFINED } else { make() }
    }

    fn ended(&mut self, value: impl FnOnce() -> Value) -> Value {
        let number = self.ends.len();
        self.ends.push(self.texts.len());
        match self.purpose {
            Purpose::Fill => Value::UNDEFINED,
            Purpose::Prepare => Value::from_safe_string(format!("{}{number}{}", MARK.0, MARK.1)),
            Purpose::Compare => value(),
        }
    }

    fn text_at(&self, number: usize) -> &str {
        let begin = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.texts[begin..self.ends[number]]
    }
}

/// The pages that were rendered before.
#[derive(Debug, Default)]
pub(super) struct PreparedPages(RwLock<HashMap<String, Arc<PreparedPage>>>);

impl PreparedPages {
    /// Fills a page with these values. `render` makes the page from values that it collects itself, in the same order.
    pub fn fill(
        &self,
        values: &PageValues,
        render: impl Fn(&mut PageValues) -> Result<String, Error>,
    ) -> Result<String, Error> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&values.key).cloned();
        let page = match kept {
            Some(page) => page,
            None => self.prepare(values, &render)?,
        };
        let filled = page.fill(values);
        #[cfg(debug_assertions)]
        assert_eq!(filled, render(&mut PageValues::new(Purpose::Compare))?, "a template does more than print a text");
        Ok(filled)
    }

    fn prepare(
        &self,
        values: &PageValues,
        render: &impl Fn(&mut PageValues) -> Result<String, Error>,
    ) -> Result<Arc<PreparedPage>, Error> {
        let mut marks = PageValues::new(Purpose::Prepare);
        let page = PreparedPage::new(&render(&mut marks)?)
            .filter(|page| marks.key == values.key && page.parts.iter().all(|(_, text)| *text < values.ends.len()))
            .ok_or_else(|| Error::Internal("a page has other values when it is rendered again".to_owned()))?;
        let page = Arc::new(page);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(values.key.clone(), page.clone());
        Ok(page)
    }
}

/// A page without its texts.
#[derive(Debug)]
struct PreparedPage {
    /// A fixed part, and the number of the text after it.
    parts: Vec<(Box<str>, usize)>,
    end: Box<str>,
    /// The bytes of all fixed parts.
    bytes: usize,
}

impl PreparedPage {
    /// Takes a page with marks apart. `None` if a mark is broken.
    fn new(page: &str) -> Option<Self> {
        let mut pieces = page.split(MARK.0);
        let mut fixed = pieces.next()?;
        let mut parts = Vec::new();
        for piece in pieces {
            let (number, after) = piece.split_once(MARK.1)?;
            parts.push((fixed.into(), number.parse().ok()?));
            fixed = after;
        }
        Some(Self { parts, end: fixed.into(), bytes: page.len() })
    }

    fn fill(&self, values: &PageValues) -> String {
        let mut page = String::with_capacity(self.bytes + values.texts.len());
        for (fixed, text) in &self.parts {
            page.push_str(fixed);
            page.push_str(values.text_at(*text));
        }
        page.push_str(&self.end);
        page
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};

    use super::*;

    const TEMPLATE: &str = "<p class=\"{{ kind }}\">{{ name }}{% if is_new %}, {{ age }} and {{ name }}{% endif %}</p>";

    struct TestPages {
        templates: Environment<'static>,
        prepared: PreparedPages,
    }

    impl TestPages {
        fn new(template: &'static str) -> Self {
            let mut templates = Environment::new();
            templates.add_template("page.html", template).expect("a template");
            Self { templates, prepared: PreparedPages::default() }
        }

        fn page(&self, kind: &str, is_new: bool, (name, age): (&str, &str)) -> String {
            let collect = |values: &mut PageValues| {
                let (kind, is_new) = (values.fixed(kind), values.flag(is_new));
                let (name, age) = (values.text(name), values.text(age));
                values.shape(|| context! { kind, is_new, name, age })
            };
            let mut values = PageValues::collect();
            collect(&mut values);
            let render = |values: &mut PageValues| {
                let template = self.templates.get_template("page.html").expect("a template");
                Ok(template.render(collect(values)).expect("a page"))
            };
            self.prepared.fill(&values, render).expect("a page")
        }
    }

    #[test]
    fn each_request_gets_its_own_texts_between_the_same_fixed_parts() {
        let pages = TestPages::new(TEMPLATE);
        for (name, age) in [("alice", "1"), ("bob", "22"), ("", ""), ("\u{1}1\u{2}", "\u{3}")] {
            assert_eq!(pages.page("user", false, (name, age)), format!("<p class=\"user\">{name}</p>"));
            let new = format!("<p class=\"user\">{name}, {age} and {name}</p>");
            assert_eq!(pages.page("user", true, (name, age)), new);
        }
        assert_eq!(pages.page("other", false, ("alice", "")), "<p class=\"other\">alice</p>");
        assert_eq!(pages.prepared.0.read().expect("the pages").len(), 3);
    }

    #[test]
    fn a_text_is_escaped() {
        let page = TestPages::new(TEMPLATE).page("user", false, ("<script>&\"'/", ""));
        assert_eq!(page, "<p class=\"user\">&lt;script&gt;&amp;&quot;&#x27;&#x2f;</p>");
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "a template does more than print a text")]
    fn a_template_that_looks_at_a_text_is_a_mistake() {
        TestPages::new("{% if name == \"alice\" %}hello{% endif %}").page("user", false, ("alice", ""));
    }

    #[test]
    fn there_is_a_limit_of_kept_pages() {
        let pages = TestPages::new(TEMPLATE);
        for kind in 0..=KEPT {
            pages.page(&kind.to_string(), false, ("alice", ""));
        }
        assert_eq!(pages.prepared.0.read().expect("the pages").len(), 1);
    }
}
