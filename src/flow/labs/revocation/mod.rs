//! `/labs/revocation`: the experiment as a form, and login by login for browsers with scripts.

mod events;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, Route, handler};
use serde_json::json;
use tokio::time::{sleep, timeout};

use self::rows::{LiveRow, rows};
use super::run_form::{FormRefusal, RunForm, created, not_started};
use crate::error::Error;
use crate::flow::methods::{get, post};
use crate::flow::state::AppState;
use crate::labs::revocation::live::{LIVE_LOGIN_LIFE, LIVE_RUN_LIMIT, LiveRun, LoginState};
use crate::page::{Frame, html};

/// How long the form probes the logins before it revokes them.
const BEFORE: Duration = Duration::from_secs(1);

/// How long the form takes at most: it must answer before a proxy gives up.
const FORM_LIMIT: Duration = Duration::from_secs(12);

/// The routes under `api` are for the script, and answer errors as problem+json.
pub(super) fn routes() -> Route {
    Route::new()
        .at("/", get(page).post(submit))
        .at("/api/runs", post(start))
        .at("/api/runs/:id/revoke", post(revoke))
        .at("/api/runs/:id/events", get(events::listen))
}

/// `GET /labs/revocation`.
#[handler]
fn page(Data(state): Data<&Arc<AppState>>) -> Result<Response, Error> {
    show(state, StatusCode::OK, &RunForm::default(), None, None)
}

/// `POST /labs/revocation`: the whole experiment in one request.
#[handler]
async fn submit(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let form = RunForm::read(&body);
    match begin(state, request, &form).await {
        Ok(run) => {
            let _ = timeout(FORM_LIMIT, revoke_and_settle(&run)).await;
            show(state, StatusCode::OK, &form, None, Some(&rows(&run)))
        }
        Err(error) => {
            let refusal = FormRefusal::of(error, request)?;
            Ok(refusal.on(show(state, refusal.status(), &form, Some(&refusal.message()), None)?))
        }
    }
}

async fn revoke_and_settle(run: &LiveRun) {
    let mut reader = run.log().read_from(0);
    sleep(BEFORE).await;
    run.revoke();
    while run.log().next(&mut reader).await.is_some() {
        if run.states().iter().all(LoginState::is_final) {
            return;
        }
    }
}

/// `POST …/api/runs`: opens the logins, and answers with them and the addresses of the run.
#[handler]
async fn start(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let run = begin(state, request, &RunForm::read(&body)).await?;
    let address = format!("/labs/revocation/api/runs/{}", run.id());
    Ok(created(&json!({
        "events": format!("{address}/events"),
        "revoke": format!("{address}/revoke"),
        "logins": rows(&run),
    })))
}

/// `POST …/api/runs/{id}/revoke`: revokes every login of the run. Whoever knows the id started it.
#[handler]
fn revoke(Data(state): Data<&Arc<AppState>>, Path(id): Path<String>) -> Result<Response, Error> {
    state.services.live_runs.find(&id).ok_or(Error::NotFound)?.revoke();
    Ok(Response::builder().status(StatusCode::NO_CONTENT).body(()))
}

async fn begin(state: &AppState, request: &Request, form: &RunForm) -> Result<Arc<LiveRun>, Error> {
    let source = form.admit(state, request).await?;
    let started = state.services.live_runs.start(&form.strategies).await;
    let run = started.map_err(|error| not_started(error, Error::TooManyRuns))?;
    form.record_start(&source, "revocation");
    Ok(run)
}

fn show(
    state: &AppState,
    status: StatusCode,
    form: &RunForm,
    message: Option<&str>,
    results: Option<&[LiveRow]>,
) -> Result<Response, Error> {
    let services = &state.services;
    let context = json!({
        "form": form.view(state),
        "message": message,
        "results": results,
        "life": LIVE_LOGIN_LIFE.as_secs(),
        "longest": LIVE_RUN_LIMIT.as_secs(),
    });
    let content = services.pages.content("revocation.html", context)?;
    Ok(html(status, services.pages.framed(Frame::plain("Revocation lab", &services.node), &content)?))
}
