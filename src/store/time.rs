//! Times as PostgreSQL keeps them, within what everything here can show.
//!
//! PostgreSQL knows `infinity` and years up to 294276; chrono panics at them where sqlx decodes one, and RFC 3339 ends
//! with the year 9999. Constraints keep such times out, but not out of rows from before them. `sqlx.toml` makes this the
//! type of every `timestamptz`, so that no query can read one any other way.

use chrono::DateTime;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use crate::domain::Time;

/// 2000-01-01 in microseconds since 1970: what PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

/// The beginning of the year 1 and the end of the year 9999, in microseconds since 1970.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

/// A `timestamptz`. What lies outside of the years 1 to 9999 is read as the nearer end of them, and the ends are written
/// back as `-infinity` and `infinity`, so that a place in a list that was read from such a row still names the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredTime(pub Time);

impl From<StoredTime> for Time {
    fn from(stored: StoredTime) -> Self {
        stored.0
    }
}

impl From<Time> for StoredTime {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

impl Type<Postgres> for StoredTime {
    fn type_info() -> PgTypeInfo {
        <Time as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for StoredTime {
    fn array_type_info() -> PgTypeInfo {
        <Time as PgHasArrayType>::array_type_info()
    }
}

impl Decode<'_, Postgres> for StoredTime {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            // Only unprepared statements answer in text, and those ask for no times.
            return Ok(Self(<Time as Decode<Postgres>>::decode(value)?));
        }
        let micros = <i64 as Decode<Postgres>>::decode(value)?.saturating_add(EPOCH).clamp(FIRST, LAST);
        Ok(Self(DateTime::from_timestamp_micros(micros).unwrap_or_default()))
    }
}

impl Encode<'_, Postgres> for StoredTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = match self.0.timestamp_micros() {
            ..=FIRST => i64::MIN,
            LAST.. => i64::MAX,
            micros => micros - EPOCH,
        };
        Encode::<Postgres>::encode(micros, buffer)
    }

    fn size_hint(&self) -> usize {
        size_of::<i64>()
    }
}
