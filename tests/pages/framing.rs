//! Where a request ends, and which of its fields count: nothing that two programs could read in two ways.

use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, TestApp};

/// RFC 9112, 6.1 and 6.3; OWASP ASVS 5.0, 4.2.1. A proxy that reads another length would let a second request through.
#[tokio::test]
async fn a_request_ends_where_one_rule_says() {
    let app = TestApp::start(&[]).await;
    let head = "POST /jwt/logout HTTP/1.1\r\nhost: localhost\r\n";
    let smuggled = "GET /assets/smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for both in ["content-length: 4\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 4"] {
        let mut wire = Wire::open(app.address).await;
        wire.send(format!("{head}{both}\r\n\r\n{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len())).await;
        let first = wire.reply_or_end().await.map_or(400, |reply| reply.status);
        assert!([303, 400].contains(&first), "{both}: {first}");
        // The server may close the connection (6.1). It must not answer what stood in the body.
        let second = wire.reply_or_end().await.map(|reply| reply.status);
        assert_eq!(second, None, "{both}: the body was read as a request");
    }
    for wrong in [
        "content-length: 4\r\ncontent-length: 5",
        "content-length: 4, 5",
        "content-length: +4",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
    ] {
        let mut wire = Wire::open(app.address).await;
        wire.send(format!("{head}{wrong}\r\n\r\nabcd")).await;
        let answer = wire.reply_or_end().await.map(|reply| reply.status);
        assert!(matches!(answer, None | Some(400)), "{wrong}: {answer:?}");
    }
}

/// OWASP ASVS 5.0, 13.4.4: an answer that repeats the request would show an HttpOnly cookie to a script.
#[tokio::test]
async fn trace_repeats_nothing() {
    let app = TestApp::start(&[]).await;
    for path in ["/", "/jwt/", "/jwt/profile", "/healthz"] {
        let mut wire = Wire::open(app.address).await;
        wire.send(format!("TRACE {path} HTTP/1.1\r\nhost: localhost\r\ncookie: id=abcdefgh\r\n\r\n")).await;
        let reply = wire.reply().await;
        assert_eq!(reply.status, 405, "{path}");
        assert!(!reply.body.contains("abcdefgh"), "{path}: {}", reply.body);
    }
}

/// OWASP ASVS 5.0, 15.3.7.
#[tokio::test]
async fn a_doubled_field_and_a_field_elsewhere_log_nobody_in() {
    let app = TestApp::start(&[]).await;
    let password = format!("password={DEMO_PASSWORD}");
    for (query, body) in [
        (String::new(), format!("username=alice&username=bob&{password}")),
        (String::new(), format!("username=alice&{password}&{password}")),
        (format!("?username=alice&{password}"), String::new()),
        ("?username=alice".to_owned(), password.clone()),
    ] {
        let mut wire = Wire::open(app.address).await;
        let head = format!("POST /jwt/login{query} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
        wire.send(format!("{head}content-type: application/x-www-form-urlencoded\r\n\r\n{body}")).await;
        let status = wire.reply().await.status;
        assert!([400, 401].contains(&status), "{query} {body}: {status}");
    }
}
