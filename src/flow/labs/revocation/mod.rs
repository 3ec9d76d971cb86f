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

use self::view::{Row, rows};
use crate::error::Error;
use crate::flow::guard::with_retry;
use crate::flow::labs::order::{self, Order, choices, said_above_the_form};
use crate::flow::site::Site;
use crate::labs::live::{LIFE, LONGEST, Run, StartRunError, State};
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
fn page(Data(site): Data<&Arc<Site>>) -> Result<Response, Error> {
    show(site, StatusCode::OK, &Order::default(), None, None)
}

/// `POST /labs/revocation`: the whole experiment in one request.
#[handler]
async fn form(Data(site): Data<&Arc<Site>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let order = Order::read(&body);
    match begin(site, request, &order).await {
        Ok(run) => {
            let _ = timeout(FORM_LIMIT, whole(&run)).await;
            show(site, StatusCode::OK, &order, None, Some(&rows(&run)))
        }
        Err(error) if said_above_the_form(&error) => {
            show(site, error.status(), &order, Some(&order::words(&error, request)), None)
                .map(|answer| with_retry(answer, &error))
        }
        Err(error) => Err(error),
    }
}

/// Watches, revokes, and watches until everything is settled.
async fn whole(run: &Run) {
    let mut listener = run.log().listen(0);
    sleep(BEFORE).await;
    run.revoke();
    while run.log().next(&mut listener).await.is_some() {
        if run.states().iter().all(State::is_final) {
            return;
        }
    }
}

/// `POST …/api/runs`: logs in everywhere, and answers with the run's address and its lanes.
#[handler]
async fn start(Data(site): Data<&Arc<Site>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let order = Order::read(&body);
    let run = begin(site, request, &order).await?;
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
fn revoke(Data(site): Data<&Arc<Site>>, Path(id): Path<String>) -> Result<Response, Error> {
    site.shared.runs.find(&id).ok_or(Error::NotFound)?.revoke();
    Ok(Response::builder().status(StatusCode::NO_CONTENT).body(()))
}

async fn begin(site: &Site, request: &Request, order: &Order) -> Result<Arc<Run>, Error> {
    order.admit(site, request).await?;
    site.shared.runs.start(&order.strategies).await.map_err(|error| match error {
        StartRunError::Store(error) => error.into(),
        StartRunError::Full => Error::TooManyRuns,
    })
}

fn show(
    site: &Site,
    status: StatusCode,
    order: &Order,
    message: Option<&str>,
    results: Option<&[Row]>,
) -> Result<Response, Error> {
    let shared = &site.shared;
    let context = json!({
        "choices": choices(site, order),
        "open": order::open_to_everybody(shared),
        "username": order.username,
        "message": message,
        "results": results,
        "life": LIFE.as_secs(),
        "longest": LONGEST.as_secs(),
    });
    let content = shared.pages.content("revocation.html", context)?;
    Ok(html(status, shared.pages.framed(Frame::plain("Revocation lab", &shared.node), content)?))
}
