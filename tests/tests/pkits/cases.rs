//! The table of cases and the list of exceptions.

use std::collections::BTreeMap;

/// How a case must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Valid,
    Invalid,
}

/// One case; certificates and CRLs by file name without its ending.
pub(crate) struct Case {
    /// The number in the suite's document: `4.1.1`.
    pub(crate) number: String,
    pub(crate) expected: Expected,
    pub(crate) leaf: String,
    pub(crate) intermediates: Vec<String>,
    pub(crate) crls: Vec<String>,
}

/// Every case, in order.
pub(crate) fn all() -> Vec<Case> {
    lines(include_str!("../../data/pkits/cases.txt")).map(case).collect()
}

/// The code with which each excepted case is refused.
pub(crate) fn exceptions() -> BTreeMap<String, String> {
    lines(include_str!("../../data/pkits/exceptions.txt"))
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().unwrap_or_else(|| panic!("{line}: a word is missing"));
            let (number, code, reason) = (word(), word(), word());
            assert!(!reason.is_empty(), "{line}: give the reason");
            (number.to_owned(), code.to_owned())
        })
        .collect()
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn case(line: &str) -> Case {
    let words: Vec<&str> = line.split(' ').collect();
    let [number, expected, leaf, intermediates, crls] = words[..] else {
        panic!("{line}: not five words");
    };
    let list =
        |names: &str| names.split(',').filter(|name| *name != "-").map(str::to_owned).collect();
    Case {
        number: number.to_owned(),
        expected: match expected {
            "valid" => Expected::Valid,
            "invalid" => Expected::Invalid,
            other => panic!("{line}: {other}"),
        },
        leaf: leaf.to_owned(),
        intermediates: list(intermediates),
        crls: list(crls),
    }
}
