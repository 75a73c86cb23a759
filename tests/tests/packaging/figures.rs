//! The figures of dashboards and alerts, held against those that a running service exports.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use countersign_tests::clients::run;
use serde_json::Value;

use crate::{packaging, read};

/// The names of figures in a `PromQL` expression.
fn figures(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = |word: &&str| word.starts_with("countersign_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

/// Every value of a member `name`, however deep.
fn members<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str().filter(|_| key == name) {
                    Some(text) => found.push(text),
                    None => members(value, name, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| members(value, name, found)),
        _ => {}
    }
}

/// The figures that the dashboard and the alerts of a service name.
fn named(service: &str) -> BTreeSet<String> {
    let path = packaging(&format!("grafana/{service}.json"));
    let dashboard: Value = serde_json::from_str(&read(&path)).expect("JSON");
    let mut expressions = Vec::new();
    members(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() >= 15, "{expressions:?}");
    let alerts = read(&packaging(&format!("prometheus/{service}-alerts.yml")));
    let rules = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let rules: Vec<&str> = rules.collect();
    assert_eq!(rules.len(), alerts.matches("- alert: ").count());
    let documented = read(&packaging(&format!("../docs/{service}-service.md")));
    for name in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(documented.contains(name), "docs/{service}-service.md does not speak of {name}");
    }
    expressions.into_iter().chain(rules).flat_map(figures).collect()
}

/// Fetches with curl until `enough` says so.
pub(crate) fn fetch_until(url: &str, folder: &Path, enough: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let arguments = ["--silent", "--show-error", "--fail", "--insecure", "--noproxy", "*", url];
        let text = run("curl", folder, arguments).succeeds();
        if enough(&text) || Instant::now() > deadline {
            return text;
        }
    }
}

/// Checks that what was `exported` in some runs has every figure that dashboard and alerts name.
pub(crate) fn check_all_exported(service: &str, exported: &str) {
    let exported: BTreeSet<&str> = exported
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap_or_default())
        .collect();
    let named = named(service);
    assert!(named.len() >= 15, "{named:?}");
    let missing: Vec<&String> =
        named.iter().filter(|name| !exported.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}, but {exported:?}");
}
