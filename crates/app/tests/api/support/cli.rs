//! The binary on the stores of a service that runs beside it, as an operator uses it.

use super::App;
use serde_json::Value;
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};
use tokio::task::spawn_blocking;

/// What the command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Fails unless the process ended so.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("not JSON: {self:#?}"))
    }
}

impl App {
    /// Runs a command, with nothing on standard input.
    pub(crate) async fn revolve(&self, arguments: &[&str]) -> Said {
        self.revolve_with(arguments, "").await
    }

    /// Runs a command with this on standard input.
    pub(crate) async fn revolve_with(&self, arguments: &[&str], input: &str) -> Said {
        self.revolve_on(&self.config, arguments, input).await
    }

    /// Runs a command with a configuration of its own.
    pub(crate) async fn revolve_on(
        &self,
        configuration: &str,
        arguments: &[&str],
        input: &str,
    ) -> Said {
        let folder = self.backing.folder.path();
        let config = folder.join("command.toml");
        fs::write(&config, configuration).expect("the folder can be written to");
        let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
        command
            .current_dir(folder)
            .env_clear()
            .arg("--config")
            .arg(config)
            .args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        // The stores are behind proxies that run on this thread.
        let output = spawn_blocking(move || {
            let mut child = command.spawn().expect("the binary starts");
            // It may end without reading.
            drop(
                child
                    .stdin
                    .take()
                    .expect("it is piped")
                    .write_all(input.as_bytes()),
            );
            child.wait_with_output().expect("it ends")
        });
        let output = output.await.expect("nothing panics");
        let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
        Said {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}
