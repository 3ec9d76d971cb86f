//! The key of the tokens: in a file of mode 0600, the same after a restart, shared by nodes with the same secret.

use std::os::unix::fs::PermissionsExt as _;

use super::program::Program;
use crate::common::DEMO_PASSWORD;

#[tokio::test]
async fn a_key_file_is_made_for_its_owner_only_and_outlives_a_restart() {
    for algorithm in ["HS256", "ES256", "EdDSA", "RS256"] {
        let options = ["--redis-url", "none", "--jwt-algorithm", algorithm];
        let server = Program::start(&options[2..]).await;
        let (_, cookie) = server.log_in("/jwt", "alice", DEMO_PASSWORD).await;
        let cookie = cookie.expect("a token");
        let folder = server.stop().await;
        let file = folder.path().join(format!("jwt-vs-session.{algorithm}.key"));
        let mode = std::fs::metadata(&file).expect("the key file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{algorithm}");
        let key = std::fs::read(&file).expect("a key");
        let again = Program::start_in(folder, &options).await;
        assert!(again.accepts("/jwt", &cookie).await, "{algorithm}: the token did not survive the restart");
        let folder = again.stop().await;
        assert_eq!(std::fs::read(folder.path().join(file.file_name().expect("a name"))).expect("a key"), key);
    }
}

#[tokio::test]
async fn nodes_with_the_same_secret_accept_each_others_tokens() {
    let secret = ["--jwt-secret", "a secret that is long enough for HS256"];
    let (one, two) = (Program::start(&secret).await, Program::start(&secret).await);
    let other = Program::start(&["--jwt-secret", "a secret that is long enough, but another"]).await;
    for (issuer, reader) in [(&one, &two), (&two, &one)] {
        let (_, cookie) = issuer.log_in("/jwt", "alice", DEMO_PASSWORD).await;
        let cookie = cookie.expect("a token");
        assert!(reader.accepts("/jwt", &cookie).await);
        assert!(!other.accepts("/jwt", &cookie).await, "it has another secret");
    }
    for server in [one, two, other] {
        let left = std::fs::read_dir(server.folder.path()).expect("a folder").flatten();
        assert!(left.map(|file| file.file_name()).all(|name| !name.to_string_lossy().ends_with(".key")), "no key file");
    }
}
