//! `/labs/cost`: what a check costs, measured by this server now; the frontier; the capacity sheet.
//!
//! With scripts a run is started and watched; without, one press of the form waits for it, over a page that comes back.

mod capacity_view;
mod form;
mod view;

use std::sync::Arc;
use std::time::Duration;

use poem::error::ResponseError as _;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler, post};
use serde_json::{Value, json};

use self::capacity_view::CapacityView;
use self::form::Sliders;
use super::events::stream_of;
use super::run_form::{self, RunForm, choices, said_above_the_form};
use crate::error::Error;
use crate::flow::frontier;
use crate::flow::middleware::with_retry;
use crate::flow::state::AppState;
use crate::labs::cost::{CostEvent, CostRun, StartCostError};
use crate::page::{Frame, html};

/// How long one answer waits for a run: it must come before a proxy gives up.
const WAIT: Duration = Duration::from_secs(8);

/// The routes. Those under `api` are the script's, and answer errors as problem+json.
pub(super) fn routes() -> Route {
    Route::new().at("/", get(page).post(submit)).at("/api/runs", post(start)).at("/api/runs/:id/events", get(listen))
}

/// What a page shows beside the figures.
#[derive(Default)]
struct CostPage {
    status: StatusCode,
    order: RunForm,
    sliders: Sliders,
    sheet: CapacityView,
    message: Option<String>,
    /// The page comes back by itself.
    again: bool,
}

/// `GET /labs/cost`, with the fields of the capacity sheet, or with `wait`: the name of a run.
#[handler]
async fn page(Data(state): Data<&Arc<AppState>>, request: &Request) -> Result<Response, Error> {
    let query = request.uri().query().unwrap_or_default();
    let awaited = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "wait");
    let run = awaited.and_then(|(_, id)| state.services.cost.find(&id));
    let sheet = CapacityView::read(query);
    let status = if sheet.is_good() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let shown = CostPage { status, sheet, ..CostPage::default() };
    match run {
        Some(run) => show(state, &shown.after(&run).await),
        None => show(state, &shown),
    }
}

impl CostPage {
    /// Waits for a run; if it is not over then, the page comes back for it.
    async fn after(self, run: &CostRun) -> Self {
        if !run.wait(WAIT).await {
            return Self { again: true, ..self };
        }
        match run.failure() {
            Some(why) => Self { status: StatusCode::SERVICE_UNAVAILABLE, message: Some(why), ..self },
            None => self,
        }
    }
}

/// `POST /labs/cost`: starts a run and waits for it.
#[handler]
async fn submit(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let (order, sliders) = (RunForm::read(&body), Sliders::read(&body));
    match begin(state, request, &order, &sliders).await {
        Ok(run) if run.wait(WAIT).await => {
            let shown = CostPage { order, sliders, ..CostPage::default() };
            show(state, &shown.after(&run).await)
        }
        Ok(run) => {
            let location = format!("/labs/cost?wait={}", run.id());
            Ok(Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, location).body(()))
        }
        Err(error) if said_above_the_form(&error) => {
            let (status, message) = (error.status(), Some(run_form::words(&error, request)));
            show(state, &CostPage { status, order, sliders, message, ..CostPage::default() })
                .map(|answer| with_retry(answer, &error))
        }
        Err(error) => Err(error),
    }
}

/// `POST …/api/runs`: starts a run, and answers with the address of its events.
#[handler]
async fn start(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let run = begin(state, request, &RunForm::read(&body), &Sliders::read(&body)).await?;
    let response = Response::builder().status(StatusCode::CREATED).header(header::CACHE_CONTROL, "no-store");
    let answer = json!({ "events": events_of(&run) });
    Ok(response.header(header::CONTENT_TYPE, "application/json").body(answer.to_string()))
}

async fn begin(state: &AppState, request: &Request, order: &RunForm, sliders: &Sliders) -> Result<Arc<CostRun>, Error> {
    order.admit(state, request).await?;
    let conditions = sliders.conditions().map_err(Error::BadRequest)?;
    state.services.cost.start(order.strategies.clone(), conditions).map_err(|error| match error {
        StartCostError::Busy | StartCostError::Closing => Error::Measuring,
    })
}

fn events_of(run: &CostRun) -> String {
    format!("/labs/cost/api/runs/{}/events", run.id())
}

/// `GET …/api/runs/{id}/events`.
#[handler]
fn listen(Data(state): Data<&Arc<AppState>>, Path(id): Path<String>, request: &Request) -> Result<Response, Error> {
    let run = state.services.cost.find(&id).ok_or(Error::NotFound)?;
    Ok(stream_of(run, CostRun::log, told, request))
}

fn told(_: &CostRun, event: &CostEvent) -> (&'static str, Value) {
    match event {
        CostEvent::Floors => ("step", json!({ "number": 0, "of": 1, "words": "Measuring the floors …" })),
        CostEvent::Strategy { number, of, slug } => {
            let words = format!("Measuring {slug}, {number} of {of} …");
            ("step", json!({ "number": number - 1, "of": of, "words": words }))
        }
        CostEvent::Failed(why) => ("failed", json!({ "words": why })),
        CostEvent::Done => ("done", json!({})),
    }
}

fn show(state: &AppState, shown: &CostPage) -> Result<Response, Error> {
    let services = &state.services;
    let running = services.cost.running();
    let context = json!({
        "choices": choices(state, &shown.order),
        "open": run_form::open_to_everybody(services),
        "username": shown.order.username,
        "message": shown.message,
        "sliders": shown.sliders.view(),
        "running": running.as_deref().map(events_of),
        "again": shown.again,
        "results": view::results(state),
        "frontier": frontier::view(state),
        "sheet": shown.sheet.view(state),
    });
    let content = services.pages.content("cost.html", context)?;
    let text = services.pages.framed(Frame::plain("Cost lab", &services.node), content)?;
    let mut response = html(shown.status, text);
    if shown.again {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static("1"));
    }
    Ok(response)
}
