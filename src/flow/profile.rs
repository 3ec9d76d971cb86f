//! `GET M/profile`: the page that needs a login, and what each side holds of it.

use minijinja::context;
use minijinja::value::Serde;
use poem::{Response, handler};

use super::visit::{Visit, life};
use crate::error::Error;

/// The signed-in page.
#[handler]
pub(super) async fn page(visit: Visit) -> Result<Response, Error> {
    let identity = visit.signed_in().await?;
    let description = visit.strategy().describe();
    let (browser, server) = visit.trace().held();
    let context = context! {
        login => context! {
            id => identity.login.to_string(),
            issued_at => identity.issued_at.to_string(),
            expires_at => identity.expires_at.to_string(),
            life => life(identity),
        },
        holds => context! { browser => Serde(browser), server => Serde(server) },
        logout => description.logout,
        logout_everywhere => description.logout_everywhere,
    };
    visit.page("profile.html", "My profile", context).await
}
