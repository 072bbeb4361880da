//! The description is of this interface and no other.

use std::collections::BTreeSet;

use super::*;
use crate::web::OPENAPI;
use crate::web::routes::ROUTES;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "options", "trace"];

#[tokio::test]
async fn each_path_and_method_is_described_and_nothing_else() {
    let value: Value = serde_json::from_str(OPENAPI).unwrap();
    assert_eq!(value["openapi"], "3.1.0");
    let described: BTreeSet<&String> = value["paths"].as_object().unwrap().keys().collect();
    let routed: BTreeSet<String> = ROUTES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(described, routed.iter().collect());
    let router = open(&Fake::new());
    for (path, _) in ROUTES {
        // Any digits do: whether the method is there shows before anything else.
        let line = path
            .replace("{owner}", "0")
            .replace("{id}", "0")
            .replace("{reader}", "0")
            .replace("{digest}", "0");
        for method in METHODS {
            let asked = request(&method.to_uppercase(), &line, None, Body::empty());
            let (status, _) = ask(&router, asked).await;
            let operation = &value["paths"][path][method];
            assert_eq!(status != 405, operation.is_object(), "{method} {path}: {status}");
            if status != 405 && status != 200 {
                assert!(operation["responses"][status.to_string()].is_object(), "{path} {status}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_all_parts_are_referred_to() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let value: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut found = BTreeSet::new();
    references(&value, &mut found);
    for reference in &found {
        assert!(value.pointer(&reference[1..]).is_some(), "{reference}");
    }
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in value["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(reference.as_str()), "nobody refers to {reference}");
        }
    }
}
