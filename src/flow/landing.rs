//! `GET M/`: what this mount is, and five steps to try it.

use poem::{Response, handler};
use serde_json::json;

use super::visit::Visit;
use crate::error::Error;

/// The landing page.
#[handler]
pub(super) async fn page(visit: Visit) -> Result<Response, Error> {
    let cookie = visit.scope().name(visit.strategy().describe().carrier.cookie);
    let context = json!({ "cookie_name": cookie, "public_url": visit.shared().public_url });
    visit.page("landing.html", "Start", context).await
}
