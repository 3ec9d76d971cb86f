//! `GET M/profile`: what the browser and the server hold of the login.

use compact_str::ToCompactString as _;
use minijinja::{Value, context};
use poem::{Response, handler};

use super::context::{RequestContext, valid_for};
use crate::error::Error;
use crate::page::{PageValues, moment};
use crate::trace::HeldData;

#[handler]
pub(super) async fn page(request: RequestContext) -> Result<Response, Error> {
    let identity = request.require_login().await?;
    let texts = &request.strategy().describe().texts;
    let (browser, server) = request.trace().held();
    let valid_for = valid_for(identity, request.services().clock.now());
    let (issued_at, expires_at) = (identity.issued_at.to_string(), identity.expires_at.to_string());
    let content = |values: &mut PageValues| {
        let user_name = values.text(&identity.subject.name);
        let user_id = values.text(&identity.subject.id.to_compact_string());
        let role = values.fixed(identity.subject.role.name());
        let login_id = values.text(&identity.login.to_compact_string());
        let valid_for = values.text(&valid_for);
        let (issued_at, issued) = (values.text(&issued_at), values.text(&moment(&issued_at)));
        let (expires_at, expires) = (values.text(&expires_at), values.text(&moment(&expires_at)));
        let (browser, server) = (held(values, browser.as_ref()), held(values, server.as_ref()));
        values.shape(|| {
            let mount = request.mount().template_value.clone();
            context! {
                mount, user_name, user_id, role, login_id, valid_for, issued_at, issued, expires_at, expires, browser,
                server, logout => texts.logout, logout_everywhere => texts.logout_everywhere,
            }
        })
    };
    request.prepared_page("profile.html", "My profile", content).await
}

fn held(values: &mut PageValues, held: Option<&HeldData>) -> Value {
    let (title, text) = held.map_or(("", ""), |held| (&*held.title, &*held.text));
    let (title, text) = (values.text(title), values.text(text));
    let bytes = held.and_then(|held| held.bytes);
    let was_read = values.flag(bytes.is_some());
    let bytes = values.text(&bytes.unwrap_or_default().to_compact_string());
    values.shape(|| context! { title, text, was_read, bytes })
}
