//! A server with ten strategies serves the pages of the tenth.

use jwt_vs_session::app::{App, StartError};
use jwt_vs_session::clock::Clock;
use tokio::runtime::Runtime;

use super::entry::{TENTH, all_ten};
use crate::common::{TestApp, bare_client, folder, log_in, me, settings};

pub fn the_server_mounts_the_tenth_strategy() {
    Runtime::new().expect("a runtime").block_on(async {
        let app = TestApp::start_with_strategies(&[], Clock::system(), all_ten()).await;
        let (mount, cookie) = ("/sealed-cookie", "sealed_login");
        let credential = log_in(&app, mount, cookie, "alice").await;
        assert_eq!(me(&app, mount, &credential).await, 200);
        for page in ["/", "/profile", "/devices", "/password"] {
            let request = bare_client().get(app.url(&format!("{mount}{page}"))).header("cookie", &credential);
            assert_eq!(request.send().await.expect("an answer").status(), 200, "{page}");
        }
        let logout = bare_client().post(app.url(&format!("{mount}/logout"))).header("cookie", &credential);
        let answer = logout.send().await.expect("an answer");
        assert_eq!(answer.status(), 303);
        let removal = answer.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        let mut removals = removal.filter(|line| line.starts_with(&format!("{cookie}=;")));
        assert!(removals.any(|line| line.contains("Max-Age=0")), "the log out removes the cookie");
        app.stop().await;
    });
}

pub fn two_strategies_of_one_name_are_refused() {
    Runtime::new().expect("a runtime").block_on(async {
        let folder = folder();
        let twice = [TENTH, TENTH].concat().leak();
        let refused = App::open_with(&settings(folder.path(), &[]), Clock::system(), twice).await;
        assert!(matches!(refused.err(), Some(StartError::DoubleStrategy("sealed-cookie"))));
    });
}
