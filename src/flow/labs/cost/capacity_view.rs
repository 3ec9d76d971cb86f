//! The capacity view: a demand as it was typed, and what each strategy needs to meet it.

use serde_json::{Value, json};

use crate::auth::Description;
use crate::flow::frontier::in_use;
use crate::flow::state::AppState;
use crate::labs::capacity::{Capacity, Cores, Demand, FIELDS, Field, FieldError, capacity};
use crate::units::{bits, bytes, grouped, span};

/// What was typed, right or wrong.
pub(super) struct CapacityView {
    typed: [String; 5],
    demand: Result<Demand, Vec<FieldError>>,
}

impl Default for CapacityView {
    fn default() -> Self {
        Self::read("")
    }
}

impl CapacityView {
    /// From the query of the page. A missing field has its default value.
    pub fn read(query: &str) -> Self {
        let mut typed = FIELDS.map(|field| field.usual.to_owned());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if let Some(place) = FIELDS.iter().position(|field| field.name == name) {
                typed[place] = value.into_owned();
            }
        }
        Self { demand: Demand::read(&typed), typed }
    }

    pub fn is_complete(&self) -> bool {
        self.demand.is_ok()
    }

    pub fn view(&self, state: &AppState) -> Value {
        let field = |(field, typed): (&Field, &String)| {
            let is_bad = field.read(typed).is_err();
            json!({ "name": field.name, "label": field.label, "typed": typed, "bad": is_bad })
        };
        let fields: Vec<_> = FIELDS.iter().zip(&self.typed).map(field).collect();
        let errors = self.demand.as_ref().err();
        let errors = errors.map(|errors| errors.iter().map(FieldError::to_string).collect::<Vec<_>>());
        let rows = self.demand.as_ref().ok().map(|demand| rows(state, demand));
        json!({ "fields": fields, "errors": errors, "rows": rows })
    }
}

fn rows(state: &AppState, demand: &Demand) -> Vec<Value> {
    let Some(figures) = in_use(state) else { return Vec::new() };
    let descriptions = state.strategies().map(|strategy| strategy.describe());
    let row = |description: &Description| {
        let row = figures.row(description.slug)?;
        let answer = capacity(demand, row, description);
        let ms = |ms: f64| if ms > 0.0 { span(ms * 1e6) } else { "none accepted".to_owned() };
        Some(json!({
            "slug": description.slug,
            "kind": description.kind,
            "store": description.texts.store,
            "memory": bytes(answer.stored_bytes),
            "operations": grouped(answer.operations),
            "among": among(description, &answer),
            "wait": if answer.wait_ms > 0.0 { span(answer.wait_ms * 1e6) } else { "0 ms".to_owned() },
            "cores": grouped(answer.cores),
            "about_cores": match answer.cores_are {
                Cores::Measured => "",
                Cores::AtMost => "≤ ",
                Cores::AtLeast => "≥ ",
            },
            "bandwidth": bits(answer.bits),
            "staleness": answer.staleness_ms.map_or_else(|| "not measured".to_owned(), ms),
            "staleness_at_least": answer.staleness_at_least,
            "bound": answer.bound_ms.map(ms),
            "one_node_only": answer.one_node_only,
        }))
    };
    descriptions.filter_map(row).collect()
}

/// The calls to the store beside those of the checks, in words.
fn among(description: &Description, answer: &Capacity) -> Option<String> {
    let upkeep = description.upkeep.filter(|_| answer.upkeep > 0.0);
    let upkeep = upkeep.map(|upkeep| format!("{} {}", grouped(answer.upkeep), upkeep.what));
    let misses = answer.misses * 100.0;
    let misses = (misses > 0.0).then(|| format!("{misses:.0} % of the checks miss"));
    let all: Vec<_> = upkeep.into_iter().chain(misses).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
