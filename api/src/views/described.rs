//! Connects core's values, which serialise themselves, with the types that describe their JSON.

/// A newtype around a value of core. Its JSON is core's, its schema that of `$object`.
macro_rules! described {
    ($(#[$doc:meta])* $name:ident($core:ty) by $object:ty) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $core);

        impl poem_openapi::types::Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> std::borrow::Cow<'static, str> {
                <$object>::name()
            }

            fn schema_ref() -> poem_openapi::registry::MetaSchemaRef {
                <$object>::schema_ref()
            }

            fn register(registry: &mut poem_openapi::registry::Registry) {
                <$object>::register(registry);
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl poem_openapi::types::ToJSON for $name {
            fn to_json(&self) -> Option<serde_json::Value> {
                serde_json::to_value(&self.0).ok()
            }
        }

        impl poem_openapi::types::ParseFromJSON for $name {
            fn parse_from_json(_: Option<serde_json::Value>) -> poem_openapi::types::ParseResult<Self> {
                Err(poem_openapi::types::ParseError::custom("is only ever sent"))
            }
        }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                Self(value)
            }
        }
    };
}
pub(super) use described;

/// A newtype around an enum of core that has `ALL` and `as_str`: its schema lists these names.
macro_rules! described_enum {
    ($(#[doc = $doc:literal])* $name:ident($core:ty) as $schema:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $core);

        impl $name {
            fn parse(text: &str) -> poem_openapi::types::ParseResult<Self> {
                let known = <$core>::ALL.into_iter().find(|value| value.as_str() == text);
                known.map(Self).ok_or_else(|| poem_openapi::types::ParseError::custom("enum"))
            }
        }

        impl poem_openapi::types::Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }

            fn schema_ref() -> poem_openapi::registry::MetaSchemaRef {
                poem_openapi::registry::MetaSchemaRef::Reference($schema.to_owned())
            }

            fn register(registry: &mut poem_openapi::registry::Registry) {
                registry.create_schema::<Self, _>($schema.to_owned(), |_| poem_openapi::registry::MetaSchema {
                    description: Some(concat!($($doc),*).trim_ascii()),
                    enum_items: <$core>::ALL.iter().map(|value| value.as_str().into()).collect(),
                    ..poem_openapi::registry::MetaSchema::new("string")
                });
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl poem_openapi::types::ParseFromJSON for $name {
            fn parse_from_json(value: Option<serde_json::Value>) -> poem_openapi::types::ParseResult<Self> {
                let text = value.as_ref().and_then(serde_json::Value::as_str);
                text.map_or_else(|| Err(poem_openapi::types::ParseError::custom("enum")), Self::parse)
            }
        }

        impl poem_openapi::types::ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> poem_openapi::types::ParseResult<Self> {
                Self::parse(text)
            }
        }

        impl poem_openapi::types::ToJSON for $name {
            fn to_json(&self) -> Option<serde_json::Value> {
                Some(self.0.as_str().into())
            }
        }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                Self(value)
            }
        }
    };
}
pub(super) use described_enum;
