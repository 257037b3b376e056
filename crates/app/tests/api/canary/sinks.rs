//! Where secrets could end up: what a process prints and is started with, and what its stores hold.

use super::forms::Sink;
use deadpool_redis::redis::{self, AsyncCommands};
use std::{
    fs,
    io::Read,
    path::Path,
    process::{Child, Command},
    thread::{self, JoinHandle},
};

/// A process that is read to its end.
pub(super) struct ServiceProcess {
    child: Child,
    outputs: Vec<(&'static str, JoinHandle<Vec<u8>>)>,
    command_line: Vec<u8>,
}

impl ServiceProcess {
    /// Reads on from where its standard output is.
    pub(super) fn follow(mut child: Child, output: impl Read + Send + 'static) -> Self {
        let command_line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
        let errors = drain(child.stderr.take().unwrap());
        let outputs = vec![
            ("standard output", drain(output)),
            ("standard error", errors),
        ];
        Self {
            child,
            outputs,
            command_line,
        }
    }

    /// Ends it and hands over all that it said.
    pub(super) fn end(mut self) -> Vec<Sink> {
        assert!(
            Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap();
        let mut sinks = vec![Sink::new("the command line", self.command_line)];
        sinks.extend(
            self.outputs
                .into_iter()
                .map(|(name, output)| Sink::new(name, output.join().unwrap())),
        );
        sinks
    }
}

fn drain(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// The files of a folder: a SQLite file, its log and its index.
pub(super) fn files(folder: &Path) -> Vec<Sink> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    files
        .map(|path| {
            Sink::new(
                path.file_name().unwrap().to_string_lossy(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

/// Every row of every table of a schema, as text; binary columns are in hexadecimal then.
pub(super) async fn postgres(url: &str, schema: &str) -> Vec<Sink> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    actix_web::rt::spawn(connection);
    let tables = client
        .query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = $1",
            &[&schema],
        )
        .await
        .unwrap();
    let mut sinks = Vec::new();
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let rows = client
            .query(
                &format!("SELECT row_to_json(t)::text, t::text FROM {schema}.{table} t"),
                &[],
            )
            .await
            .unwrap();
        let text: String = rows
            .iter()
            .flat_map(|row| [row.get::<_, String>(0), row.get(1)])
            .collect();
        sinks.push(Sink::new(format!("the table {table}"), text));
    }
    sinks
}

/// Every key and value of a database of Redis.
pub(super) async fn redis(url: &str) -> Vec<Sink> {
    let client = redis::Client::open(url).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<Vec<u8>> = redis.keys("*").await.unwrap();
    let mut dump = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        let values: Vec<Vec<u8>> = match kind.as_str() {
            "hash" => redis::cmd("HGETALL")
                .arg(&key)
                .query_async(&mut redis)
                .await
                .unwrap(),
            "string" => redis
                .get::<_, Option<Vec<u8>>>(&key)
                .await
                .unwrap()
                .into_iter()
                .collect(),
            "none" => Vec::new(),
            other => panic!("how is a {other} read?"),
        };
        dump.push(key);
        dump.extend(values);
    }
    vec![Sink::new("Redis", dump.join(&b'\n'))]
}
