//! CSV files (RFC 4180), streamed page by page, so that no file is whole in memory.

use std::io;

use bytes::Bytes;
use futures::{Stream, stream};
use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use punctual_core::types::{Cursor, Page};

const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// A file that is written row by row.
#[derive(Debug)]
pub struct CsvFile {
    name: &'static str,
    body: Body,
}

impl CsvFile {
    /// The file with this name and these column names. Each page of rows is read with the cursor of the previous one. An
    /// error aborts the answer, so that the reader sees that it is incomplete.
    pub fn new<R, F>(
        name: &'static str,
        columns: &[&str],
        page: impl Fn(Option<Cursor>) -> F + Send + Sync + 'static,
        row: impl Fn(R) -> Vec<String> + Send + Sync + 'static,
    ) -> Self
    where
        R: Send + 'static,
        F: Future<Output = punctual_core::Result<Page<R>>> + Send + 'static,
    {
        let head = line(columns.iter().map(|column| (*column).to_owned()));
        let pages = pages(page, row);
        let whole = stream::StreamExt::chain(stream::once(async move { Ok(Bytes::from(head)) }), pages);
        Self { name, body: Body::from_bytes_stream(whole) }
    }
}

fn pages<R, F>(
    page: impl Fn(Option<Cursor>) -> F + Send + Sync + 'static,
    row: impl Fn(R) -> Vec<String> + Send + Sync + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    R: Send + 'static,
    F: Future<Output = punctual_core::Result<Page<R>>> + Send + 'static,
{
    stream::try_unfold((page, row, Some(None)), |(page, row, next)| async move {
        let Some(cursor) = next else { return Ok(None) };
        let Page { data, next_cursor } = page(cursor).await.map_err(|error| {
            tracing::error!(%error, "a file was broken off");
            io::Error::other("a file was broken off")
        })?;
        let lines: String = data.into_iter().map(|value| line(row(value).into_iter())).collect();
        Ok(Some((Bytes::from(lines), (page, row, next_cursor.map(Some)))))
    })
}

/// A line of the file.
fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| escaped(&cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell in quotes where it needs them. A text that a spreadsheet would run as a formula begins with an apostrophe.
fn escaped(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if text.contains([',', '"', '\n', '\r', '\'', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

impl IntoResponse for CsvFile {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type(CONTENT_TYPE)
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.name))
            .header(header::CACHE_CONTROL, "private, no-store")
            .body(self.body)
    }
}

impl ApiResponse for CsvFile {
    fn meta() -> MetaResponses {
        let schema = MetaSchema { max_length: Some(1_073_741_824), ..MetaSchema::new("string") };
        let schema = MetaSchemaRef::Inline(Box::new(schema));
        MetaResponses {
            responses: vec![MetaResponse {
                description: "The table (RFC 4180).",
                status: Some(200),
                status_range: None,
                content: vec![MetaMediaType { content_type: "text/csv", schema }],
                headers: Vec::new(),
            }],
        }
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_run_as_a_formula_or_breaks_its_line() {
        for (cell, written) in [
            ("Ada", "Ada"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("+49 30", "\"'+49 30\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-1", "\"'-1\""),
            ("\tx", "\"'\tx\""),
        ] {
            assert_eq!(escaped(cell), written, "{cell}");
        }
    }
}
