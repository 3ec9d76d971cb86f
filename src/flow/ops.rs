//! Liveness, readiness and metrics for operators; the public keys for other services.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::{Data, Json};
use poem::{IntoResponse as _, Response, handler};
use serde_json::json;

use super::state::AppState;
use crate::store::StoreError;

/// `GET /healthz`: the process runs. Makes no store call.
#[handler]
pub(super) fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether each strategy is ready, or why not, as a check of the stores found within the last second. 503
/// only if none is ready, or if the node stops.
#[handler]
pub(super) async fn readyz(state: Data<&Arc<AppState>>) -> Response {
    let health = state.services.health.result().await;
    let stops = state.services.shutdown.is_announced();
    let (mut rows, mut any_ready) = (Vec::new(), false);
    for strategy in state.strategies() {
        let description = strategy.describe();
        let stores = health.of(description.backend).map_err(StoreError::sentence);
        let readiness = if stops { Err("This node stops.".to_owned()) } else { stores };
        any_ready |= readiness.is_ok();
        let mut row =
            json!({ "strategy": description.slug, "ready": readiness.is_ok(), "store": description.texts.store });
        if let Err(reason) = readiness {
            row["reason"] = reason.into();
        }
        rows.push(row);
    }
    let status = if any_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Json(json!({ "strategies": rows, "warnings": health.warnings })).with_status(status).into_response()
}

/// `GET /metrics`, in Prometheus' text format.
#[handler]
pub(super) fn metrics() -> Response {
    let text = crate::telemetry::render();
    Response::builder().header(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8").body(text)
}

/// `GET /.well-known/jwks.json` (RFC 7517): the public keys. HS256 has none.
#[handler]
pub(super) fn jwks(Data(state): Data<&Arc<AppState>>) -> Response {
    let keys = Json(state.services.keys.public()).into_response();
    keys.with_content_type("application/jwk-set+json").into_response()
}
