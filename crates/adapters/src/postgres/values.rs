//! Instants as Postgres sends them: microseconds since 2000, in a range that is smaller than the domain's. What is out of
//! range becomes `infinity`, so that order is kept.

use revolve_domain::model::Timestamp;
use std::error::Error;
use tokio_postgres::types::{
    FromSql, IsNull, ToSql, Type, accepts, private::BytesMut, to_sql_checked,
};

/// From 1970-01-01 to 2000-01-01, in milliseconds.
const POSTGRES_EPOCH: i64 = 946_684_800_000;

/// What a `timestamptz` can hold, in microseconds since 2000.
const RANGE: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// A [`Timestamp`] as a `timestamptz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PgTimestamp(pub(super) Timestamp);

impl PgTimestamp {
    fn to_micros(self) -> i64 {
        let micros = self
            .0
            .as_millis()
            .saturating_sub(POSTGRES_EPOCH)
            .saturating_mul(1000);
        if RANGE.contains(&micros) {
            micros
        } else if micros < 0 {
            i64::MIN
        } else {
            i64::MAX
        }
    }

    fn from_micros(micros: i64) -> Self {
        Self(Timestamp::from_millis(match micros {
            i64::MIN | i64::MAX => micros,
            // The now() of an operator's statement has microseconds; the domain has none.
            finite => finite.div_euclid(1000) + POSTGRES_EPOCH,
        }))
    }
}

impl ToSql for PgTimestamp {
    accepts!(TIMESTAMPTZ);
    to_sql_checked!();

    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.to_micros().to_be_bytes());
        Ok(IsNull::No)
    }
}

impl<'a> FromSql<'a> for PgTimestamp {
    accepts!(TIMESTAMPTZ);

    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::from_micros(i64::from_be_bytes(raw.try_into()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_the_wire() {
        for millis in [0, -1, 1, 1_900_000_000_250, -62_135_596_800_000] {
            let at = PgTimestamp(Timestamp::from_millis(millis));
            assert_eq!(PgTimestamp::from_micros(at.to_micros()), at);
        }
    }

    #[test]
    fn what_is_out_of_range_keeps_its_order() {
        for millis in [i64::MIN, i64::MAX] {
            assert_eq!(
                PgTimestamp(Timestamp::from_millis(millis)).to_micros(),
                millis
            );
            assert_eq!(
                PgTimestamp::from_micros(millis),
                PgTimestamp(Timestamp::from_millis(millis))
            );
        }
        assert_eq!(
            PgTimestamp(Timestamp::from_millis(i64::MAX / 2)).to_micros(),
            i64::MAX
        );
    }
}
