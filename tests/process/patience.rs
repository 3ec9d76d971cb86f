//! How long a client may keep the server waiting.

use std::time::{Duration, Instant};

use super::program::Program;
use crate::common::wire::Wire;

/// What the server says: 15 s for a request to come in.
const LIMIT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_request_that_never_ends_is_given_up_on() {
    let server = Program::start(&[]).await;
    let begun = Instant::now();
    let mut clients = Vec::new();
    for sent in [
        "",
        "GET /jwt/profile HTTP/1.1\r\nhost: he",
        "POST /jwt/login HTTP/1.1\r\nhost: here\r\ncontent-length: 99\r\n\r\nusername=",
    ] {
        let mut wire = Wire::open(server.address).await;
        wire.send(sent).await;
        clients.push((wire, sent));
    }
    for (mut wire, sent) in clients {
        while let Some(reply) = wire.reply_or_end().await {
            assert!(reply.status >= 400, "{sent:?} is no request: {reply:?}");
        }
        let took = begun.elapsed();
        println!("given up after {took:?}: {sent:?}");
        let margin = Duration::from_secs(3);
        assert!(took + margin > LIMIT && took < LIMIT + margin, "{sent:?}: {took:?}");
    }
}
