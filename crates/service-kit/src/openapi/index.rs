//! `GET /`: what there is, in a few lines, out of the document.

use serde_json::{Value, json};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn, PathItem},
};

/// The service, its version, and every operation in one line.
pub(super) fn index(document: &OpenApi) -> Value {
    let paths = document.paths.paths.iter();
    let operations = paths.flat_map(|(path, item)| {
        let operations = operations(item).into_iter();
        operations
            .filter_map(move |(method, operation)| Some(line(path, method, operation.as_ref()?)))
    });
    let mut paths: Vec<Value> = operations.collect();
    paths.push(json!({"method": "GET", "path": super::page::DOCUMENT, "what": "all of this in detail (OpenAPI 3.1)"}));
    paths.push(
        json!({"method": "GET", "path": "/docs", "what": "a page on which to read and try it"}),
    );
    json!({
        "service": document.info.title,
        "version": document.info.version,
        "paths": paths,
    })
}

fn operations(item: &PathItem) -> [(&'static str, &Option<Operation>); 5] {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
}

fn line(path: &str, method: &str, operation: &Operation) -> Value {
    let parameters = operation.parameters.iter().flatten();
    let query: Vec<&str> = parameters
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
                Some(parameter.name.as_str())
            }
            _ => None,
        })
        .collect();
    let path = match query.as_slice() {
        [] => path.to_owned(),
        names => format!("{path}?{}", names.join("&")),
    };
    json!({"method": method, "path": path, "what": operation.summary})
}
