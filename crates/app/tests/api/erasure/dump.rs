//! What the tables have of a person.

use super::TRACES;
use crate::support::{App, ServerStores};
use rusqlite::{Connection, types::ValueRef};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
    time::Duration,
};

/// The tables with what a person has left in them: a line for each row, all columns as text, and texts in binary ones as they are.
pub(super) async fn dump(app: &App) -> Vec<(String, String)> {
    match &app.backing.server {
        None => sqlite(&file(app)),
        Some(server) => postgres(server).await,
    }
}

pub(super) fn file(app: &App) -> PathBuf {
    app.backing.folder.path().join("revolve.sqlite3")
}

fn sqlite(file: &Path) -> Vec<(String, String)> {
    let conn = Connection::open(file).unwrap();
    conn.busy_timeout(Duration::from_secs(30)).unwrap();
    let mut names = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let table = |name: String| {
        let mut rows = conn.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = rows.column_count();
        let (mut rows, mut text) = (rows.query([]).unwrap(), String::new());
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        write!(text, "{} ", String::from_utf8_lossy(bytes)).unwrap();
                    }
                    other => write!(text, "{other:?} ").unwrap(),
                }
            }
            text.push('\n');
        }
        (name, text)
    };
    names.map(|name| table(name.unwrap())).collect()
}

async fn postgres(server: &ServerStores) -> Vec<(String, String)> {
    let url = server.postgres_url.as_str();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    actix_web::rt::spawn(connection);
    let tables = "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = $1";
    let mut dump = Vec::new();
    for table in client.query(tables, &[&server.schema]).await.unwrap() {
        let name: String = table.get("name");
        let rows = format!(
            "SELECT row_to_json(t)::text AS row FROM {}.{name} t",
            server.schema
        );
        let rows = client.query(&rows, &[]).await.unwrap();
        let text: String = rows
            .iter()
            .map(|row| row.get::<_, String>("row") + "\n")
            .collect();
        dump.push((name, text));
    }
    dump
}

/// Fails unless each of these tables has a trace, and those that have none by themselves have rows: a look that finds nothing must be able to
/// find something.
pub(super) async fn assert_traces_everywhere(app: &App) {
    // Events come to webhooks a moment later.
    let dump = loop {
        let dump = dump(app).await;
        if dump
            .iter()
            .any(|(name, rows)| name == "webhook_deliveries" && !rows.is_empty())
        {
            break dump;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let found = traces(&dump);
    for table in [
        "users",
        "role_members",
        "sessions",
        "journal",
        "proofs",
        "deliveries",
        "quiet_notices",
    ] {
        let place = format!(" in {table}: ");
        assert!(found.iter().any(|trace| trace.contains(&place)), "{table}");
    }
    for table in ["known_devices", "named_requests", "api_keys"] {
        let rows = dump.iter().find(|(name, _)| name == table);
        assert!(rows.is_some_and(|(_, rows)| !rows.is_empty()), "{table}");
    }
}

/// Where a trace is, be it as a text or as the digits of one in a binary column.
pub(super) fn traces(dump: &[(String, String)]) -> Vec<String> {
    let digits = |trace: &str| {
        trace.bytes().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        })
    };
    let mut found = Vec::new();
    for (table, text) in dump {
        let text = text.to_lowercase();
        let left = TRACES
            .iter()
            .filter(|trace| text.contains(**trace) || text.contains(&digits(trace)));
        found.extend(left.map(|trace| format!("{trace} in {table}: {text}")));
    }
    found
}
