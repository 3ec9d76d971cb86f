//! `GET M/profile`: what the browser and the server hold of the login.

use minijinja::context;
use minijinja::value::Serde;
use poem::{Response, handler};

use super::context::{RequestContext, valid_for};
use crate::error::Error;

#[handler]
pub(super) async fn page(request: RequestContext) -> Result<Response, Error> {
    let identity = request.require_login().await?;
    let description = request.strategy().describe();
    let (browser, server) = request.trace().held();
    let context = context! {
        login => context! {
            id => identity.login.to_string(),
            issued_at => identity.issued_at.to_string(),
            expires_at => identity.expires_at.to_string(),
            valid_for => valid_for(identity, request.services().clock.now()),
        },
        holds => context! { browser => Serde(browser), server => Serde(server) },
        logout => description.texts.logout,
        logout_everywhere => description.texts.logout_everywhere,
    };
    request.page("profile.html", "My profile", context).await
}
