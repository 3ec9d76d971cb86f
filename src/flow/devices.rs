//! `M/devices`: lists the user's logins, where the strategy can, and revokes one.

use poem::web::Path;
use poem::{Response, handler};
use serde_json::{Value, json};

use super::context::{RequestContext, see_other};
use crate::auth::{Login, RevokeScope};
use crate::error::Error;
use crate::identity::LoginId;
use crate::security_log::RevocationCause;

/// `GET M/devices`.
#[handler]
pub(super) async fn page(request: RequestContext) -> Result<Response, Error> {
    let identity = request.require_login().await?;
    let logins = request.strategy().logins(identity.subject.id, request.trace()).await?;
    let rows = logins.map(|logins| logins.iter().map(|login| row(login, &identity.login)).collect::<Vec<_>>());
    let context = json!({ "logins": rows, "devices": request.strategy().describe().texts.devices });
    request.page("devices.html", "Devices", context).await
}

fn row(login: &Login, current: &LoginId) -> Value {
    json!({
        "id": login.id,
        "device": login.device.label,
        "address": login.device.address,
        "issued_at": login.issued_at.to_string(),
        "seen_at": login.seen_at.to_string(),
        "expires_at": login.expires_at.to_string(),
        "current": login.id == *current,
    })
}

/// `POST M/devices/{id}/revoke`. The answer for another user's login is that for an unknown one.
#[handler]
pub(super) async fn revoke(request: RequestContext, Path(id): Path<String>) -> Result<Response, Error> {
    let identity = request.require_login().await?;
    let wanted = LoginId::parse(&id).ok_or(Error::NotFound)?;
    let logins = request.strategy().logins(identity.subject.id, request.trace()).await?.unwrap_or_default();
    if !logins.iter().any(|login| login.id == wanted) {
        return Err(Error::NotFound);
    }
    if wanted == identity.login {
        request.revoke(identity, RevokeScope::This, RevocationCause::DeviceList).await?;
        request.clear_credentials();
        return Ok(see_other(&request.path("/")));
    }
    request.revoke(identity, RevokeScope::Other(wanted), RevocationCause::DeviceList).await?;
    Ok(see_other(&request.path("/devices")))
}
