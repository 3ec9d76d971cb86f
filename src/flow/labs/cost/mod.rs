//! `/labs/cost`: what a check costs on this server, the frontier, and the capacity view.
//!
//! A script starts a run and watches it. Without scripts the form waits for the run, over a page that reloads itself.

mod capacity_view;
mod results;
mod sliders;

use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, Route, handler};
use serde_json::{Value, json};

use self::capacity_view::CapacityView;
use self::results::results;
use self::sliders::Sliders;
use super::events::stream_of;
use super::run_form::{FormRefusal, RunForm, created, not_started};
use crate::error::Error;
use crate::flow::frontier;
use crate::flow::methods::{get, post};
use crate::flow::state::AppState;
use crate::labs::cost::{CostEvent, CostRun};
use crate::page::{Frame, html};
use crate::units::time;

/// How long one request waits for a run: the server must answer before a proxy gives up.
const WAIT: Duration = Duration::from_secs(8);

/// The routes under `api` are for the script, and answer errors as problem+json.
pub(super) fn routes() -> Route {
    Route::new().at("/", get(page).post(submit)).at("/api/runs", post(start)).at("/api/runs/:id/events", get(listen))
}

/// What a page shows beside the figures.
#[derive(Default)]
struct CostPage {
    status: StatusCode,
    form: RunForm,
    sliders: Sliders,
    capacity: CapacityView,
    message: Option<String>,
    /// The page reloads itself.
    reloads: bool,
}

/// `GET /labs/cost`, with the fields of the capacity view, or with `wait`: the id of a run.
#[handler]
async fn page(Data(state): Data<&Arc<AppState>>, request: &Request) -> Result<Response, Error> {
    let query = request.uri().query().unwrap_or_default();
    let awaited = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "wait");
    let run = awaited.and_then(|(_, id)| state.services.cost_runs.find(&id));
    let capacity = CapacityView::read(query);
    let status = if capacity.is_complete() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let shown = CostPage { status, capacity, ..CostPage::default() };
    match run {
        Some(run) => show(state, &shown.after(&run).await),
        None => show(state, &shown),
    }
}

impl CostPage {
    /// Waits for a run. If the run takes longer, the page reloads itself.
    async fn after(self, run: &CostRun) -> Self {
        if !run.wait(WAIT).await {
            return Self { reloads: true, ..self };
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
    let (form, sliders) = (RunForm::read(&body), Sliders::read(&body));
    match begin(state, request, &form, &sliders).await {
        Ok(run) if run.wait(WAIT).await => {
            let shown = CostPage { form, sliders, ..CostPage::default() };
            show(state, &shown.after(&run).await)
        }
        Ok(run) => {
            let location = format!("/labs/cost?wait={}", run.id());
            Ok(Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, location).body(()))
        }
        Err(error) => {
            let refusal = FormRefusal::of(error, request)?;
            let (status, message) = (refusal.status(), Some(refusal.message()));
            let shown = CostPage { status, form, sliders, message, ..CostPage::default() };
            Ok(refusal.on(show(state, &shown)?))
        }
    }
}

/// `POST …/api/runs`: starts a run, and answers with the address of its events.
#[handler]
async fn start(Data(state): Data<&Arc<AppState>>, request: &Request, body: Vec<u8>) -> Result<Response, Error> {
    let run = begin(state, request, &RunForm::read(&body), &Sliders::read(&body)).await?;
    Ok(created(&json!({ "events": events_of(&run) })))
}

async fn begin(state: &AppState, request: &Request, form: &RunForm, sliders: &Sliders) -> Result<Arc<CostRun>, Error> {
    let source = form.admit(state, request).await?;
    let conditions = sliders.conditions().map_err(|error| Error::BadRequest(error.to_string()))?;
    let started = state.services.cost_runs.start(form.strategies.clone(), conditions);
    let run = started.map_err(|error| not_started(error, Error::Measuring))?;
    form.record_start(&source, "cost");
    Ok(run)
}

fn events_of(run: &CostRun) -> String {
    format!("/labs/cost/api/runs/{}/events", run.id())
}

/// `GET …/api/runs/{id}/events`.
#[handler]
fn listen(Data(state): Data<&Arc<AppState>>, Path(id): Path<String>, request: &Request) -> Result<Response, Error> {
    let run = state.services.cost_runs.find(&id).ok_or(Error::NotFound)?;
    Ok(stream_of(run, CostRun::log, view, request))
}

fn view(_: &CostRun, event: &CostEvent) -> (&'static str, Value) {
    match event {
        CostEvent::Floors => ("step", json!({ "number": 0, "of": 1, "words": "Measuring the floors …" })),
        CostEvent::Strategy { number, of, slug } => {
            let words = format!("Measuring {slug}, {number} of {of} …");
            ("step", json!({ "number": number - 1, "of": of, "words": words }))
        }
        CostEvent::Measured { slug, check_ns, .. } => ("measured", json!({ "slug": slug, "check": time(*check_ns) })),
        CostEvent::Failed(why) => ("failed", json!({ "words": why })),
        CostEvent::Done => ("done", json!({})),
    }
}

fn show(state: &AppState, shown: &CostPage) -> Result<Response, Error> {
    let services = &state.services;
    let running = services.cost_runs.running();
    let context = json!({
        "form": shown.form.view(state),
        "message": shown.message,
        "sliders": shown.sliders.view(),
        "running": running.as_deref().map(events_of),
        "reloads": shown.reloads,
        "results": results(state),
        "frontier": frontier::view(state),
        "capacity": shown.capacity.view(state),
    });
    let content = services.pages.content("cost.html", context)?;
    let text = services.pages.framed(Frame::plain("Cost lab", &services.node), &content)?;
    let mut response = html(shown.status, text);
    if shown.reloads {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static("1"));
    }
    Ok(response)
}
