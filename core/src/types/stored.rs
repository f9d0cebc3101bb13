//! Decoding of stored text by parsing it, so that rows hold parsed values.

/// Lets a type with `parse(&str)` be read from a text column. Text that cannot be parsed is an error of decoding.
macro_rules! decode_by_parsing {
    ($type:ty) => {
        $crate::types::decode_by_parsing!($type, parse);
    };
    ($type:ty, $parse:ident) => {
        impl sqlx::Type<sqlx::Postgres> for $type {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <str as sqlx::Type<sqlx::Postgres>>::type_info()
            }

            fn compatible(info: &sqlx::postgres::PgTypeInfo) -> bool {
                <str as sqlx::Type<sqlx::Postgres>>::compatible(info)
            }
        }

        impl<'row> sqlx::Decode<'row, sqlx::Postgres> for $type {
            fn decode(value: sqlx::postgres::PgValueRef<'row>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(Self::$parse(<&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?)?)
            }
        }
    };
}
pub(crate) use decode_by_parsing;

use super::{Currency, Locale, Zone};

decode_by_parsing!(Currency, stored);
decode_by_parsing!(Locale);
decode_by_parsing!(Zone);
