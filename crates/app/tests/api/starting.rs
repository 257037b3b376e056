//! What a start says of a configuration that can't be right.

use crate::command::{ServerProcess, revolve};
use std::io::Read;
use tempfile::TempDir;

#[test]
fn a_start_warns_if_the_links_of_mails_lead_elsewhere() {
    for (issuer, warns) in [("", true), ("http://accounts.localhost", false)] {
        let folder = TempDir::new().unwrap();
        let mut command = revolve(folder.path());
        let mut running = ServerProcess::start(command.env("REVOLVE__TOKENS__ISSUER", issuer), 4);
        let mut stderr = running.child.stderr.take().unwrap();
        running.terminate();
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        let says = log.contains("links of mails lead to http://localhost:8080");
        assert_eq!(says, warns, "{issuer}: {log}");
    }
}
