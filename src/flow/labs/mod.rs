//! `/labs`: the experiments as pages.

mod cost;
mod events;
mod revocation;
mod run_form;

use poem::Route;

/// The routes of all of them.
pub(super) fn routes() -> Route {
    Route::new().nest("/revocation", revocation::routes()).nest("/cost", cost::routes())
}
