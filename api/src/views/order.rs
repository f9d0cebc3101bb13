use poem_openapi::Enum;
use punctual_core::types::Order;

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ListOrder {
    /// The earliest first.
    #[default]
    Asc,
    /// The latest first.
    Desc,
}

impl From<ListOrder> for Order {
    fn from(order: ListOrder) -> Self {
        match order {
            ListOrder::Asc => Self::Ascending,
            ListOrder::Desc => Self::Descending,
        }
    }
}
