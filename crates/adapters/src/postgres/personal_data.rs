//! What the database has about one account.

use super::{
    database::{Intent, decoded},
    error::PostgresError,
    factors,
    transaction::Transaction,
};
use crate::sql::{
    self, CorruptRow, SqlRow, challenge_columns, delivery_columns, proof_columns, session_columns,
    user_columns,
};
use revolve_domain::{model::UserId, ports::PersonalData};

/// The first statement of the transaction: all others see what was committed before the second.
const ONE_VIEW: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const USER: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = $1");
pub(super) const SESSIONS: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.user_id = $1 ORDER BY s.began_at DESC, s.id DESC"
);
const DEVICES: &str = "
    SELECT device_id, signed_in_at FROM known_devices WHERE user_id = $1 ORDER BY signed_in_at DESC, device_id DESC";
const CHALLENGES: &str = concat!(
    "SELECT ",
    challenge_columns!(),
    " FROM challenges WHERE user_id = $1 ORDER BY created_at DESC, id DESC"
);
const PROOFS: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE user_id = $1 ORDER BY created_at DESC, id DESC"
);
const MAILS: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE user_id = $1 ORDER BY created_at DESC, id DESC"
);
const QUIET: &str = "
    SELECT kind, email, CAST(NULL AS text) AS email_typed, until FROM quiet_notices WHERE user_id = $1 ORDER BY kind, email";

/// `UserRepository::personal_data`.
pub(super) struct ReadPersonalData {
    pub(super) user: UserId,
}

impl ReadPersonalData {
    async fn all<T>(
        &self,
        tx: &Transaction<'_>,
        sql: &'static str,
        decode: impl Fn(&dyn SqlRow) -> Result<T, CorruptRow> + Send,
    ) -> Result<Vec<T>, PostgresError> {
        let statement = tx.prepare_cached(sql).await?;
        let rows = tx.query(&statement, &[self.user.as_uuid()]).await?;
        decoded(&rows, decode)
    }
}

impl Intent for ReadPersonalData {
    type Answer = Option<PersonalData>;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Option<PersonalData>, PostgresError> {
        tx.batch_execute(ONE_VIEW).await?;
        let Some(user) = self.all(tx, USER, sql::user).await?.pop() else {
            return Ok(None);
        };
        Ok(Some(PersonalData {
            user,
            sessions: self.all(tx, SESSIONS, sql::session).await?,
            devices: self.all(tx, DEVICES, sql::remembered_device).await?,
            factors: sql::whole_factors(self.all(tx, factors::OF, sql::factors).await?),
            challenges: self.all(tx, CHALLENGES, sql::challenge).await?,
            proofs: self.all(tx, PROOFS, sql::proof).await?,
            mails: self.all(tx, MAILS, sql::delivery).await?,
            quiet: self.all(tx, QUIET, sql::quiet_notice).await?,
        }))
    }
}
