//! The document as the pages show it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    fields::{Field, fields},
    json::{entries, list, prose, text},
    operation::Operation,
};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// All operations and schemas, by name.
#[derive(Serialize)]
pub struct Reference {
    pub title: String,
    pub version: String,
    /// HTML.
    pub about: String,
    pub tags: Vec<Group>,
    /// Names of the schemas.
    pub schemas: Vec<String>,
    #[serde(skip)]
    operations: BTreeMap<String, Operation>,
    #[serde(skip)]
    schema_pages: BTreeMap<String, Schema>,
}

/// A group of operations.
#[derive(Serialize)]
pub struct Group {
    pub name: String,
    pub about: String,
    pub operations: Vec<Row>,
}

/// An operation in the list.
#[derive(Serialize)]
pub struct Row {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
}

/// A schema on its page.
#[derive(Serialize)]
pub struct Schema {
    pub name: String,
    /// HTML.
    pub about: String,
    /// The type, of a schema without fields.
    pub kind: Option<String>,
    pub fields: Vec<Field>,
    /// Values of an enumeration.
    pub values: Vec<String>,
    /// Operations that use it.
    pub used_by: Vec<String>,
}

impl Reference {
    /// # Errors
    /// When the text is not JSON.
    pub fn new(document: &str) -> Result<Self, serde_json::Error> {
        let document: Value = serde_json::from_str(document)?;
        let info = &document["info"];
        let mut tags: Vec<Group> = list(&document["tags"])
            .map(|tag| Group {
                name: text(&tag["name"]),
                about: text(&tag["description"]),
                operations: Vec::new(),
            })
            .collect();
        let mut operations = BTreeMap::new();
        for (path, item) in entries(&document["paths"]) {
            for method in METHODS {
                let Some(value) = item.get(method) else { continue };
                let operation = Operation::new(&document, method, path, value);
                let row = Row {
                    id: operation.id.clone(),
                    method: operation.method.clone(),
                    path: path.clone(),
                    summary: operation.summary.clone(),
                };
                if let Some(tag) = tags.iter_mut().find(|tag| tag.name == operation.tag) {
                    tag.operations.push(row);
                }
                operations.insert(operation.id.clone(), operation);
            }
        }
        let schemas = entries(&document["components"]["schemas"]);
        let schema_pages: BTreeMap<String, Schema> =
            schemas.map(|(name, schema)| (name.clone(), Schema::new(&document, name, schema))).collect();
        Ok(Self {
            title: text(&info["title"]),
            version: text(&info["version"]),
            about: prose(&info["description"]),
            tags,
            schemas: schema_pages.keys().cloned().collect(),
            operations,
            schema_pages,
        })
    }

    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schema_pages.get(name)
    }
}

impl Schema {
    fn new(document: &Value, name: &str, schema: &Value) -> Self {
        let fields = fields(schema);
        let reference = format!("\"#/components/schemas/{name}\"");
        let used_by = entries(&document["paths"])
            .flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(method)))
            .filter(|operation| operation.to_string().contains(&reference))
            .map(|operation| text(&operation["operationId"]))
            .collect();
        Self {
            name: name.to_owned(),
            about: prose(&schema["description"]),
            kind: fields.is_empty().then(|| super::fields::kind(schema).text),
            fields,
            values: list(&schema["enum"]).map(text).collect(),
            used_by,
        }
    }
}
