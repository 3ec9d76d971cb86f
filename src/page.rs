//! Renders pages from the templates. No queries.

mod assets;

use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};
use poem::Response;
use poem::http::{StatusCode, header};
use serde::Serialize;

pub use self::assets::{ASSETS, Asset, FAVICON, assets_version};
use crate::error::Error;

/// The templates, parsed once.
#[derive(Debug)]
pub struct Pages(Environment<'static>);

/// What the layout shows around a page's own content.
pub struct Frame<'a> {
    pub title: &'a str,
    pub mount: Option<Value>,
    /// Every mount, for the links to the same page under another strategy.
    pub mounts: Value,
    /// The logged-in user.
    pub user: Option<Value>,
    /// The check was unavailable: the navigation says so.
    pub nav_unknown: bool,
    /// What the request has twice, and how to get out of it.
    pub doubled: Option<&'a str>,
    pub node: &'a str,
    /// The panel of the POST that led here.
    pub previous: Option<Value>,
    /// The panel of this request.
    pub trace: Option<Value>,
}

impl<'a> Frame<'a> {
    /// The frame of a page outside the mounts.
    pub fn plain(title: &'a str, node: &'a str) -> Self {
        Self {
            title,
            mount: None,
            mounts: Value::default(),
            user: None,
            nav_unknown: false,
            doubled: None,
            node,
            previous: None,
            trace: None,
        }
    }
}

impl Pages {
    /// Loads the templates from the binary. A template that uses an undefined name fails.
    pub fn new() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        load(&mut templates);
        templates.add_filter("moment", moment);
        templates.add_global("asset", assets_version());
        Self(templates)
    }

    /// Renders a page's own content.
    pub fn content(&self, template: &str, context: impl Serialize) -> Result<String, Error> {
        self.render(template, Value::from(Serde(context)))
    }

    /// Renders a template with a context that is already a template's value.
    pub fn render(&self, template: &str, context: Value) -> Result<String, Error> {
        let render = || self.0.get_template(template)?.render(context);
        render().map_err(|error| Error::Internal(format!("{template}: {error}")))
    }

    /// Renders the layout around a page's content.
    pub fn framed(&self, frame: Frame<'_>, content: String) -> Result<String, Error> {
        let Frame { title, mount, mounts, user, nav_unknown, doubled, node, previous, trace } = frame;
        let content = Value::from_safe_string(content);
        self.render(
            "layout.html",
            context! { title, mount, mounts, user, nav_unknown, doubled, node, previous, trace, content },
        )
    }
}

/// Shows an RFC 3339 time to the second.
fn moment(at: &str) -> Result<String, minijinja::Error> {
    let parts = at.get(..10).zip(at.get(11..19)).map(|(day, time)| format!("{day} {time} UTC"));
    parts.ok_or_else(|| minijinja::Error::new(ErrorKind::InvalidOperation, "not a time"))
}

#[allow(elided_lifetimes_in_paths, clippy::expect_used)] // in generated code, and checked by the build
fn load(templates: &mut Environment<'static>) {
    minijinja_embed::load_templates!(&mut *templates);
}

impl Default for Pages {
    fn default() -> Self {
        Self::new()
    }
}

/// An answer with a page. No cache may keep it: it names the logged-in user.
pub fn html(status: StatusCode, text: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(text)
}
