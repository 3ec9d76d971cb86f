//! Renders pages from the templates. No queries.
//!
//! `prepared.rs` keeps what is the same in every page, `panel.rs` shows what a request did, `assets.rs` holds the files
//! that pages link to, `shared_page.rs` the pages that are compressed.

mod assets;
mod encoded;
mod panel;
mod prepared;
mod shared_page;
mod templates;

use std::path::PathBuf;

use minijinja::value::Serde;
use minijinja::{Value, context};
use poem::Response;
use poem::http::{StatusCode, header};
use serde::Serialize;

pub use self::assets::{ASSETS, Asset, FAVICON, assets_version};
pub use self::encoded::{ContentCoding, EncodedContent, Representation};
pub use self::panel::{KeptPanel, Panel};
pub use self::prepared::PageValues;
use self::prepared::PreparedPages;
pub use self::shared_page::SharedPage;
use self::templates::Templates;
use crate::error::Error;
use crate::identity::Role;

/// The media type of pages.
pub const HTML: &str = "text/html; charset=utf-8";

/// The templates, and the pages that they made.
#[derive(Debug)]
pub struct Pages {
    templates: Templates,
    prepared: PreparedPages,
}

/// What the layout shows around a page's own content.
#[derive(Clone, Copy, Default)]
pub struct Frame<'a> {
    pub title: &'a str,
    pub mount: Option<FrameMount<'a>>,
    /// The role of the logged-in user.
    pub role: Option<Role>,
    /// The check was unavailable: the navigation says so.
    pub nav_unknown: bool,
    /// What the request has twice, and how to get out of it.
    pub doubled: Option<&'a str>,
    pub node: &'a str,
    /// The panel of the POST that led here.
    pub previous: Option<Panel<'a>>,
    /// The panel of this request.
    pub trace: Option<Panel<'a>>,
}

/// The mount of a page.
#[derive(Clone, Copy)]
pub struct FrameMount<'a> {
    /// Its path. It decides the two values below.
    pub base: &'a str,
    pub value: &'a Value,
    /// Every mount, for the links to the same page under another strategy.
    pub all: &'a Value,
}

impl Pages {
    /// Loads the templates from the binary, or at every page from a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { templates: folder.map_or_else(Templates::built, Templates::Folder), prepared: PreparedPages::default() }
    }

    /// Renders a page's own content.
    pub fn content(&self, template: &str, context: impl Serialize) -> Result<String, Error> {
        self.render(template, Value::from(Serde(context)))
    }

    /// Renders a template with a context that is already a template's value.
    pub fn render(&self, template: &str, context: Value) -> Result<String, Error> {
        let render = || self.templates.parsed()?.get_template(template)?.render(context);
        render().map_err(|error| Error::Internal(format!("{template}: {error}")))
    }

    /// Puts the layout around a page's content.
    pub fn framed(&self, frame: Frame<'_>, content: &str) -> Result<String, Error> {
        let mut values = PageValues::collect();
        let content = |values: &mut PageValues| Ok(values.html(content));
        content(&mut values)?;
        self.fill(values, frame, content)
    }

    /// Puts the layout around a page's content. `values` has the values of the content, which `content` collects again if
    /// it has to render it.
    pub fn fill(
        &self,
        mut values: PageValues,
        frame: Frame<'_>,
        content: impl Fn(&mut PageValues) -> Result<Value, Error>,
    ) -> Result<String, Error> {
        frame.values(&mut values, Value::UNDEFINED);
        let render = |values: &mut PageValues| {
            let content = content(values)?;
            let context = frame.values(values, content);
            self.render("layout.html", context)
        };
        match self.templates {
            Templates::Built(_) => self.prepared.fill(&values, render),
            Templates::Folder(_) => PreparedPages::default().fill(&values, render),
        }
    }
}

impl<'a> Frame<'a> {
    /// The frame of a page outside the mounts.
    pub fn plain(title: &'a str, node: &'a str) -> Self {
        Self { title, node, ..Self::default() }
    }

    fn values(&self, values: &mut PageValues, content: Value) -> Value {
        let Self { mount, doubled, previous, trace, .. } = *self;
        let title = values.fixed(self.title);
        values.fixed(mount.map_or("", |mount| mount.base));
        let role = values.fixed(self.role.map_or("", Role::name));
        let nav_unknown = values.flag(self.nav_unknown);
        let node = values.text(self.node);
        let has_doubled = values.flag(doubled.is_some());
        let doubled = values.text(doubled.unwrap_or_default());
        // The same page is under every mount, unless this one is an answer to a form or an error.
        let below = trace.zip(mount).and_then(|(trace, mount)| trace.path.strip_prefix(mount.base));
        let has_twin = trace.is_some_and(|trace| trace.method == "GET" && matches!(trace.status, 200 | 503));
        let rest = values.text(below.filter(|_| has_twin).unwrap_or("/"));
        let has_twin = values.flag(has_twin);
        let here = values.fixed(below.filter(|below| NAVIGATION.contains(below)).unwrap_or_default());
        let panel = |values: &mut PageValues, panel: Option<Panel<'_>>| {
            values.flag(panel.is_some());
            panel.map(|panel| panel.values(values))
        };
        let (trace, previous) = (panel(values, trace), panel(values, previous));
        values.shape(|| {
            let (mount, mounts) = mount.map(|mount| (mount.value.clone(), mount.all.clone())).unzip();
            context! {
                title, mount, mounts, role, nav_unknown, node, has_doubled, doubled, rest, has_twin, here, trace,
                previous, content,
            }
        })
    }
}

/// The pages of a mount that the navigation leads to.
const NAVIGATION: [&str; 6] = ["/profile", "/devices", "/password", "/users", "/login", "/register"];

/// Shows an RFC 3339 time to the second. Another text stays as it is.
pub fn moment(at: &str) -> String {
    let parts = at.get(..10).zip(at.get(11..19));
    parts.map_or_else(|| at.to_owned(), |(day, time)| format!("{day} {time} UTC"))
}

/// An answer with a page. No cache may keep it: it names the logged-in user.
pub fn html(status: StatusCode, text: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, HTML)
        .header(header::CACHE_CONTROL, "no-store")
        .body(text)
}
