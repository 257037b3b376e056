//! The embedded store: the contracts of all three ports, random histories against the state machine, and what only a
//! file promises.
#![cfg(feature = "sqlite")]

mod deliveries;
mod file;
mod given;
mod migrations;
mod subject;

revolve_testkit::accounts_contract!(subject::make);
revolve_testkit::directory_contract!(subject::make);
revolve_testkit::journal_contract!(subject::make);
revolve_testkit::keys_contract!(subject::make);
revolve_testkit::api_keys_contract!(subject::make);
revolve_testkit::proofs_contract!(subject::make);
revolve_testkit::factors_contract!(subject::make);
revolve_testkit::deliveries_contract!(subject::make);
revolve_testkit::webhooks_contract!(subject::make);
revolve_testkit::tokens_contract!(subject::make);
revolve_testkit::histories_contract!(subject::make);
