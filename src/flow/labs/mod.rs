//! `/labs`: the pages of the experiments.

mod cost;
mod events;
mod revocation;
mod run_form;

use poem::Route;

pub(super) fn routes() -> Route {
    Route::new().nest("/revocation", revocation::routes()).nest("/cost", cost::routes())
}
