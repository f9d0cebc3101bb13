//! Generates the client from `openapi/openapi.json`. progenitor knows application/json only: problems are given that type
//! first, and operations that take a picture are left out, here and nowhere else; what the server sends stays what it is.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let document = "../../openapi.json";
    println!("cargo:rerun-if-changed={document}");
    let text = fs::read_to_string(document)?.replace("application/problem+json", "application/json");
    let mut spec: serde_json::Value = serde_json::from_str(&text)?;
    for path in spec["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        if let Some(operations) = path.as_object_mut() {
            operations.retain(|_, operation| {
                operation
                    .pointer("/requestBody/content")
                    .is_none_or(|content| content.get("application/json").is_some())
            });
        }
    }
    let spec: openapiv3::OpenAPI = serde_json::from_value(spec)?;
    let mut settings = progenitor::GenerationSettings::default();
    settings.with_interface(progenitor::InterfaceStyle::Builder);
    let tokens = progenitor::Generator::new(&settings).generate_tokens(&spec)?;
    let code = prettyplease::unparse(&syn::parse2(tokens)?);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("client.rs"), code)?;
    Ok(())
}
