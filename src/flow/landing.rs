//! `GET M/`: what the strategy does, and five steps to try it.

use poem::{Response, handler};
use serde_json::json;

use super::context::RequestContext;
use crate::error::Error;

#[handler]
pub(super) async fn page(request: RequestContext) -> Result<Response, Error> {
    let cookie = request.scope().name(request.strategy().describe().transport.cookie);
    let context = json!({ "cookie_name": cookie, "public_url": request.services().public_url });
    request.page("landing.html", "Start", context).await
}
