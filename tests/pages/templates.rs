//! `--templates`: a change of a template is on the next page.

use std::fs;
use std::path::Path;

use crate::common::{TestApp, folder};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copied = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy(&path, &copied) } else { fs::copy(&path, copied).map(drop).expect("a copy") }
    }
}

#[tokio::test]
async fn a_changed_template_is_on_the_next_page_and_a_broken_one_is_an_error_page() {
    let folder = folder();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), folder.path());
    let app = TestApp::start(&["--templates", folder.path().to_str().expect("a path")]).await;
    let page = async || {
        let response = app.bare_client().get(app.url("/jwt/login")).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    };
    let login = folder.path().join("login.html");
    let text = fs::read_to_string(&login).expect("a template");
    assert_eq!(page().await.0, 200);
    fs::write(&login, format!("<p>changed</p>{text}")).expect("a change");
    let (status, changed) = page().await;
    assert!(status == 200 && changed.contains("<p>changed</p>"), "{status}: {changed}");
    fs::write(&login, "{% if %}").expect("a mistake");
    assert_eq!(page().await.0, 500);
    fs::write(&login, text).expect("the old text");
    assert_eq!(page().await.0, 200);
}
