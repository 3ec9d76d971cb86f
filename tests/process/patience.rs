//! The longest that a client may keep the server waiting.

use std::time::Duration;

use super::program::Program;
use crate::common::wire::Wire;

/// The server says 15 s for a request to come in. Longer here, but shorter than a connection may be idle.
const LIMIT: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_server_closes_a_connection_whose_request_never_ends() {
    let server = Program::start(&[]).await;
    let mut clients = Vec::new();
    for sent in [
        "",
        "GET /jwt/profile HTTP/1.1\r\nhost: he",
        "POST /jwt/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\nusername=",
    ] {
        let mut wire = Wire::open(server.address).await;
        wire.send(sent).await;
        clients.push((wire, sent));
    }
    for (mut wire, sent) in clients {
        while let Some(reply) = wire.reply_or_end_within(LIMIT).await {
            assert!(reply.status >= 400, "{sent:?} is no request: {reply:?}");
        }
    }
}
