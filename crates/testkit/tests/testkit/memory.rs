//! Every contract suite against its memory adapter.

#![expect(
    clippy::unused_async,
    reason = "the suites want an async fn, and memory needs none"
)]

mod stores {
    use revolve_testkit::contract::MemorySubject;

    async fn make() -> MemorySubject {
        MemorySubject::new()
    }

    revolve_testkit::tokens_contract!(make);
    revolve_testkit::accounts_contract!(make);
    revolve_testkit::directory_contract!(make);
    revolve_testkit::journal_contract!(make);
    revolve_testkit::keys_contract!(make);
    revolve_testkit::api_keys_contract!(make);
    revolve_testkit::proofs_contract!(make);
    revolve_testkit::factors_contract!(make);
    revolve_testkit::deliveries_contract!(make);
    revolve_testkit::webhooks_contract!(make);
    revolve_testkit::limits_contract!(make);
}

mod revoked_keys {
    use revolve_domain::ports::RevokedKeys;
    use revolve_testkit::memory::MemoryRevokedKeys;
    use std::sync::Arc;

    async fn make() -> Arc<dyn RevokedKeys> {
        Arc::new(MemoryRevokedKeys::default())
    }

    revolve_testkit::revoked_keys_contract!(make);
}

mod hasher {
    use revolve_domain::ports::PasswordHasher;
    use revolve_testkit::memory::PlainHasher;
    use std::sync::Arc;

    async fn make() -> Arc<dyn PasswordHasher> {
        Arc::new(PlainHasher::default())
    }

    revolve_testkit::hasher_contract!(make);
}

mod codec {
    use revolve_domain::ports::TokenCodec;
    use revolve_testkit::memory::TestCodec;
    use std::sync::Arc;

    async fn make() -> Arc<dyn TokenCodec> {
        Arc::new(TestCodec)
    }

    revolve_testkit::codec_contract!(make);
}

mod devices {
    use revolve_domain::ports::DeviceCredentials;
    use revolve_testkit::memory::TestDevices;
    use std::sync::Arc;

    async fn make() -> Arc<dyn DeviceCredentials> {
        Arc::new(TestDevices)
    }

    revolve_testkit::device_credentials_contract!(make);
}

mod factor_secrets {
    use revolve_domain::ports::FactorSecrets;
    use revolve_testkit::memory::PlainFactorSecrets;
    use std::sync::Arc;

    async fn make() -> Arc<dyn FactorSecrets> {
        Arc::new(PlainFactorSecrets::default())
    }

    revolve_testkit::factor_secrets_contract!(make);
}

mod proof_secrets {
    use revolve_domain::ports::ProofSecrets;
    use revolve_testkit::memory::TestProofSecrets;
    use std::sync::Arc;

    async fn make() -> Arc<dyn ProofSecrets> {
        Arc::new(TestProofSecrets)
    }

    revolve_testkit::proof_secrets_contract!(make);
}

mod strength {
    use revolve_domain::ports::PasswordStrength;
    use revolve_testkit::memory::ShortList;
    use std::sync::Arc;

    async fn make() -> Arc<dyn PasswordStrength> {
        Arc::new(ShortList::default())
    }

    revolve_testkit::strength_contract!(make);
}
