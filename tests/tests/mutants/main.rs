//! What each small change of `core` must change: the tests by which `make mutants` knows a change (CONTRIBUTING.md).

mod answers;
mod bundles;
mod certificates;
mod decisions;
mod forms;
mod logs;
mod messages;
mod names;
mod paths;
mod profiles;
mod revocation;
mod timestamps;
mod tokens;
