//! `/labs/revocation`: the experiment as a form, and lane by lane for browsers with scripts.

mod events;
mod view;

use std::sync::Arc;
use std::time::Duration;

use poem::error::ResponseError as _;
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler, post};
use serde_json::json;
use tokio::time::{sleep, timeout};

use self::view::{LiveRow, rows};
use crate::error::Error;
use crate::flow::labs::run_form::{self, RunForm, choices, said_above_the_form};
use crate::flow::middleware::with_retry;
use crate::flow::state::AppState;
use crate::labs::revocation::live::{LIFE, LONGEST, LiveRun, LoginState, StartRunError};
use crate::page::{Frame, html};

/// How long the experiment of the form watches before it revokes.
const BEFORE: Duration = Duration::from_secs(1);

/// How long it may take in all: an answer must come before a proxy gives up.
const FORM_LIMIT: Duration = Duration::from_secs(12);

/// The routes. Those under `api` are the script's, and answer errors as problem+json.
pub(super) fn routes() -> Route {
    Route::new()
        .at("/", get(page).post(form))
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
async fn form(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let order = RunForm::read(&body);
    match begin(state, request, &order).await {
        Ok(run) => {
            let _ = timeout(FORM_LIMIT, whole(&run)).await;
            show(state, StatusCode::OK, &order, None, Some(&rows(&run)))
        }
        Err(error) if said_above_the_form(&error) => {
            show(state, error.status(), &order, Some(&run_form::words(&error, request)), None)
                .map(|answer| with_retry(answer, &error))
        }
        Err(error) => Err(error),
    }
}

/// Watches, revokes, and watches until everything is settled.
async fn whole(run: &LiveRun) {
    let mut listener = run.log().read_from(0);
    sleep(BEFORE).await;
    run.revoke();
    while run.log().next(&mut listener).await.is_some() {
        if run.states().iter().all(LoginState::is_final) {
            return;
        }
    }
}

/// `POST …/api/runs`: logs in everywhere, and answers with the run's address and its lanes.
#[handler]
async fn start(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let order = RunForm::read(&body);
    let run = begin(state, request, &order).await?;
    let address = format!("/labs/revocation/api/runs/{}", run.id());
    let answer = json!({
        "events": format!("{address}/events"),
        "revoke": format!("{address}/revoke"),
        "lanes": rows(&run),
    });
    let response = Response::builder().status(StatusCode::CREATED).header(header::CACHE_CONTROL, "no-store");
    Ok(response.header(header::CONTENT_TYPE, "application/json").body(answer.to_string()))
}

/// `POST …/api/runs/{id}/revoke`: revokes every login of the run. Who knows the id has started it.
#[handler]
fn revoke(Data(state): Data<&Arc<AppState>>, Path(id): Path<String>) -> Result<Response, Error> {
    state.services.runs.find(&id).ok_or(Error::NotFound)?.revoke();
    Ok(Response::builder().status(StatusCode::NO_CONTENT).body(()))
}

async fn begin(state: &AppState, request: &Request, order: &RunForm) -> Result<Arc<LiveRun>, Error> {
    order.admit(state, request).await?;
    state.services.runs.start(&order.strategies).await.map_err(|error| match error {
        StartRunError::Store(error) => error.into(),
        StartRunError::Full => Error::TooManyRuns,
    })
}

fn show(
    state: &AppState,
    status: StatusCode,
    order: &RunForm,
    message: Option<&str>,
    results: Option<&[LiveRow]>,
) -> Result<Response, Error> {
    let services = &state.services;
    let context = json!({
        "choices": choices(state, order),
        "open": run_form::open_to_everybody(services),
        "username": order.username,
        "message": message,
        "results": results,
        "life": LIFE.as_secs(),
        "longest": LONGEST.as_secs(),
    });
    let content = services.pages.content("revocation.html", context)?;
    Ok(html(status, services.pages.framed(Frame::plain("Revocation lab", &services.node), content)?))
}
