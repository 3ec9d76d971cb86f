//! Writes rows and keys in bulk, in the form that the stores write them.

use jwt_vs_session::identity::{Role, Subject, UserId};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

/// Inserts users without a valid password.
pub async fn users(pool: &DatabaseConnection, count: usize) -> Vec<Subject> {
    let subject =
        |number| Subject { id: UserId::random(), name: format!("visitor-{number:05}").into(), role: Role::User };
    let subjects: Vec<_> = (0..count).map(subject).collect();
    for some in subjects.chunks(512) {
        let row = |subject: &Subject| {
            let Subject { id, name, .. } = subject;
            format!("(x'{}', '{name}', '{name}', 'user', '!', 0)", id.0.simple())
        };
        let rows: Vec<_> = some.iter().map(row).collect();
        let insert = "INSERT INTO users (id, name, name_folded, role, password_hash, created_at) VALUES";
        run(pool, &format!("{insert} {}", rows.join(", "))).await;
    }
    subjects
}

/// Inserts rows of `session-sql` for `count` further logins.
pub async fn sql_sessions(pool: &DatabaseConnection, count: u64, now: i64) {
    let (expires, absolute) = (now + 11 * 3_600_000, now + 12 * 3_600_000);
    run(
        pool,
        &format!(
            r#"WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
            INSERT INTO sessions (login, user_id, record, expires_at)
            SELECT lower(hex(randomblob(11))), randomblob(16),
                '{{"u":"' || lower(hex(randomblob(4))) || '-0000-4000-8000-' || lower(hex(randomblob(6)))
                || '","n":"visitor-' || n || '","r":"user","i":{now},"s":{now},"e":{expires},"a":{absolute}'
                || ',"d":"Firefox on Linux","p":"192.0.2.17"}}', {expires} FROM number"#
        ),
    )
    .await;
}

/// Inserts `count` further revoked tokens of a strategy, each of another user.
pub async fn sql_revoked(pool: &DatabaseConnection, scope: &str, count: u64, expires: i64) {
    run(
        pool,
        &format!(
            "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
            INSERT INTO revoked_logins (scope, user_id, login, expires_at)
            SELECT '{scope}', randomblob(16), lower(hex(randomblob(11))), {expires} FROM number"
        ),
    )
    .await;
}

/// Inserts one revoked token of each of these users.
pub async fn sql_revoked_of(pool: &DatabaseConnection, scope: &str, users: &[UserId], expires: i64) {
    for some in users.chunks(512) {
        let row = |user: &UserId| format!("('{scope}', x'{}', lower(hex(randomblob(11))), {expires})", user.0.simple());
        let rows: Vec<_> = some.iter().map(row).collect();
        let insert = "INSERT INTO revoked_logins (scope, user_id, login, expires_at) VALUES";
        run(pool, &format!("{insert} {}", rows.join(", "))).await;
    }
}

/// Stores records of `session` or `session-tracked` for `count` further logins, each with its user's index.
pub async fn redis_sessions(client: &redis::Client, prefixes: (&str, &str), count: u64, now: i64) {
    let (life, expires, absolute) = (11 * 3_600_000, now + 11 * 3_600_000, now + 12 * 3_600_000);
    in_pipelines(client, count, |pipeline, number| {
        let (user, login) = (UserId::random(), UserId::random().0.simple().to_string());
        let login = &login[..22];
        let record = format!(
            r#"{{"u":"{user}","n":"visitor-{number}","r":"user","i":{now},"s":{now},"e":{expires},"a":{absolute},"d":"Firefox on Linux","p":"192.0.2.17"}}"#
        );
        let index = format!("{}{user}", prefixes.1);
        pipeline.cmd("SET").arg(format!("{}{login}", prefixes.0)).arg(record).arg("PX").arg(life).ignore();
        pipeline.cmd("ZADD").arg(&index).arg(expires).arg(login).ignore();
        pipeline.cmd("PEXPIRE").arg(&index).arg(life).ignore();
    })
    .await;
}

/// Stores the revocations of `count` further users with one revoked token each.
pub async fn redis_revoked(client: &redis::Client, scope: &str, count: u64) {
    in_pipelines(client, count, |pipeline, _| {
        let key = format!("{{jvs}}:r:{scope}:{}", UserId::random());
        let login = UserId::random().0.simple().to_string();
        pipeline.cmd("HSET").arg(&key).arg("g").arg(0).arg(&login[..22]).arg(1).ignore();
        pipeline.cmd("PEXPIRE").arg(&key).arg(24 * 3_600_000).ignore();
    })
    .await;
}

async fn in_pipelines(client: &redis::Client, count: u64, mut add: impl FnMut(&mut redis::Pipeline, u64)) {
    const AT_ONCE: u64 = 2_000;
    // A whole pipeline takes longer than the time limit of a command.
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&config).await;
    let mut connection = connection.expect("Redis answers");
    let mut done = 0;
    while done < count {
        let mut pipeline = redis::pipe();
        let end = count.min(done + AT_ONCE);
        (done..end).for_each(|number| add(&mut pipeline, number));
        let sent: redis::RedisResult<()> = pipeline.query_async(&mut connection).await;
        sent.expect("Redis takes them");
        done = end;
    }
}

async fn run(pool: &DatabaseConnection, statement: &str) {
    pool.execute_unprepared(statement).await.expect("the statement runs");
}
