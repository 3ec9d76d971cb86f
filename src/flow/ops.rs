//! Liveness, readiness and metrics for operators; the public keys for other services.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::{Data, Json};
use poem::{IntoResponse as _, Response, handler};
use serde_json::{Value, json};

use super::state::AppState;

/// `GET /healthz`: the process runs. Makes no store call.
#[handler]
pub(super) fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether each strategy is ready, or why not. 503 only if none is ready.
#[handler]
pub(super) async fn readyz(state: Data<&Arc<AppState>>) -> Response {
    let health = state.services.health().await;
    let mut rows = Vec::new();
    for strategy in state.strategies() {
        let description = strategy.describe();
        rows.push(match health.of(description.backend) {
            Ok(()) => json!({ "strategy": description.slug, "ready": true, "store": description.texts.store }),
            Err(error) => {
                let reason = error.sentence();
                json!({ "strategy": description.slug, "ready": false, "store": description.texts.store, "reason": reason })
            }
        });
    }
    let any = rows.iter().any(|row| row["ready"] == Value::Bool(true));
    let status = if any { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
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
