//! Query parameters. poem-openapi handles those of path and headers; the guard has checked all before.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
    types::ParseFromParameter,
};

use crate::http::problem::{Place, Problem};

/// The decoded pairs of the query string in order; set by the guard.
#[derive(Debug, Clone)]
pub struct Pairs(pub Vec<(String, String)>);

/// One parameter of the query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<'a, T: ParseFromParameter> ApiExtractor<'a> for Query<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = T::IS_REQUIRED;

    type ParamType = T;
    type ParamRawType = T::RawValueType;

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(T::schema_ref())
    }

    fn param_raw_type(&self) -> Option<&T::RawValueType> {
        self.0.as_raw_value()
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        options: ExtractParamOptions<T>,
    ) -> Result<Self> {
        let pairs = request.extensions().get::<Pairs>().map_or(&[][..], |pairs| &pairs.0);
        let mut values =
            pairs.iter().filter(|(name, _)| name == options.name).map(|(_, value)| value).peekable();
        if let (None, Some(default)) = (values.peek(), options.default_value) {
            return Ok(Self(default()));
        }
        let value = T::parse_from_parameters(values).map_err(|_| {
            let pointer = format!("/{}", options.name);
            Problem::invalid_at(Place::Query, pointer, "format", "is not of the expected form")
        })?;
        Ok(Self(value))
    }
}
