//! Keeps ARCHITECTURE.md true: the paths it names exist and its invariants hold in the sources and manifests.
//!
//! Reads files only. What needs a compiler (core without std on a bare target) is `make check`'s.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// Which members may depend on which, by folder; tests and benches may use what they like.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("ledger", &["core"]),
    ("signing", &["core"]),
    ("daemon", &["core", "ledger", "signing"]),
    ("timestamp-service", &["core", "signing", "daemon"]),
    ("revocation-service", &["core", "signing", "daemon"]),
    ("cli", &["core", "signing", "ledger"]),
    ("wasm", &["core"]),
    ("xtask", &["core"]),
];

/// The wings of the revocation service, and `reply`, which says over HTTP what storage refuses: each with what it may
/// use beside itself. What is not named here wires them together, and no wing knows it.
const WINGS: &[(&str, &[&str])] = &[
    ("register", &[]),
    ("reply", &["register"]),
    ("publish", &["register"]),
    ("respond", &["register", "publish"]),
    ("releases", &["register", "publish", "reply"]),
    ("compromises", &["register", "publish"]),
    ("admin", &["register", "publish", "respond", "releases", "compromises", "reply"]),
];

/// The test package stands outside the one-way order: it starts everything.
const TESTS: &str = "tests";

/// Longest source file, in lines.
const MAX_FILE_LINES: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(folder: &str) -> Table {
    read(&root().join(folder).join("Cargo.toml"))
        .parse()
        .unwrap_or_else(|error| panic!("{folder}/Cargo.toml: {error}"))
}

fn members() -> Vec<String> {
    manifest("")["workspace"]["members"]
        .as_array()
        .expect("members are a list")
        .iter()
        .map(|member| member.as_str().expect("a member is a folder").to_owned())
        .collect()
}

fn section(manifest: &Table, name: &str) -> Table {
    manifest.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default()
}

/// Files under `folder` whose name ends in `.extension`, build output and third parties left out.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules") && !name.starts_with('.') {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a file is somewhere under `folder`; git keeps no folder without.
fn holds_files(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            let path = entry.path();
            path.is_file() || holds_files(&path)
        })
    })
}

/// What a member's sources say without comments and without the tests at a file's end.
fn product_code(folder: &str) -> Vec<(PathBuf, String)> {
    let sources = files(&root().join(folder).join("src"), "rs");
    assert!(!sources.is_empty(), "{folder}/src has no source");
    sources
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"))
        .map(|path| {
            let text = read(&path);
            let code = text
                .lines()
                .take_while(|line| line.trim() != "#[cfg(test)]")
                .map(|line| line.split("//").next().unwrap_or_default())
                .collect::<Vec<_>>()
                .join("\n");
            (path, code)
        })
        .collect()
}

/// Whether `code` holds `word` as a word of its own (not as the end or the beginning of a longer one).
fn says(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + word.len()..].chars().next();
        !before.is_some_and(part_of_name)
            && (word.ends_with(|c| !part_of_name(c)) || !after.is_some_and(part_of_name))
    })
}

fn assert_nobody_says(folders: &[&str], words: &[&str], rule: &str, except: &[&str]) {
    let mut breaches = Vec::new();
    for folder in folders {
        for (path, code) in product_code(folder) {
            let name =
                path.strip_prefix(root()).expect("a path in the workspace").display().to_string();
            if except.iter().any(|allowed| name.starts_with(allowed)) {
                continue;
            }
            breaches.extend(
                words
                    .iter()
                    .filter(|word| says(&code, word))
                    .map(|word| format!("{name} says `{word}`")),
            );
        }
    }
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

/// The spans between backticks that are paths in this repository: nothing but a path's letters, and a slash inside or
/// the extension of a file kept here. `/livez`, `cargo test` and `Report` are none.
fn named_paths(text: &str) -> Vec<String> {
    let kept_here = [".rs", ".md", ".toml", ".json"];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| {
            span.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
                && !span.starts_with('/')
                && (span.contains('/') || kept_here.iter().any(|end| span.ends_with(end)))
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn architecture_names_only_paths_that_exist() {
    let text = read(&root().join("ARCHITECTURE.md"));
    assert_eq!(text.matches("```").count(), 0, "a code block would hide its paths");
    let paths = named_paths(&text);
    assert!(paths.len() > 30, "only {} paths were found", paths.len());
    let missing: Vec<_> =
        paths.iter().filter(|path| !root().join(path.as_str()).exists()).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:#?}");
}

#[test]
fn architecture_names_every_member_and_every_folder() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let mut folders = members();
    for entry in fs::read_dir(root()).expect("a readable workspace") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if holds_files(&entry.path()) && !name.starts_with('.') && name != "target" {
            folders.push(name);
        }
    }
    folders.sort();
    folders.dedup();
    let unnamed: Vec<_> =
        folders.iter().filter(|folder| !text.contains(&format!("`{folder}/"))).collect();
    assert!(unnamed.is_empty(), "ARCHITECTURE.md does not say what these are: {unnamed:?}");
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let documents = fs::read_dir(root())
        .expect("a readable workspace")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .chain(files(&root().join("docs"), "md"));
    let mut broken = Vec::new();
    let mut links = 0;
    for document in documents {
        let text = read(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            links += 1;
            if !document.parent().unwrap_or(Path::new("/")).join(path).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(links > 10, "only {links} links were found");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn dependencies_point_one_way() {
    let packages: BTreeMap<String, String> = members()
        .into_iter()
        .map(|folder| {
            let name = manifest(&folder)["package"]["name"]
                .as_str()
                .expect("a package has a name")
                .to_owned();
            (name, folder)
        })
        .collect();
    for folder in packages.values().filter(|folder| *folder != TESTS) {
        let (_, allowed) = MAY_DEPEND_ON
            .iter()
            .find(|(name, _)| name == folder)
            .unwrap_or_else(|| panic!("say in MAY_DEPEND_ON what {folder} may depend on"));
        let manifest = manifest(folder);
        for dependency in section(&manifest, "dependencies").keys() {
            if let Some(target) = packages.get(dependency) {
                assert!(
                    allowed.contains(&target.as_str()),
                    "{folder} must not depend on {target} (only on {allowed:?})"
                );
            }
        }
    }
}

/// The modules at the crate's root that `code` names: `crate::one::…` and each of `crate::{one, two::…}`.
fn root_modules(code: &str) -> Vec<String> {
    let name = |text: &str| {
        text.trim_start()
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let mut found = Vec::new();
    for (start, prefix) in code.match_indices("crate::") {
        let rest = &code[start + prefix.len()..];
        if !rest.starts_with('{') {
            found.push(name(rest));
            continue;
        }
        let mut depth = 0;
        for (at, letter) in rest.char_indices() {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            if depth == 0 {
                break;
            }
            if depth == 1 && matches!(letter, '{' | ',') {
                found.push(name(&rest[at + 1..]));
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn a_wing_of_the_revocation_service_uses_only_wings_below_it() {
    let source = root().join("revocation-service/src");
    let mut uses = 0;
    let mut breaches = Vec::new();
    for (path, code) in product_code("revocation-service") {
        let module = path.strip_prefix(&source).expect("a source").with_extension("");
        let parts: Vec<_> = module.iter().map(|part| part.to_string_lossy()).collect();
        let Some((wing, allowed)) = WINGS.iter().find(|(wing, _)| *wing == parts[0]) else {
            continue;
        };
        for used in root_modules(&code) {
            uses += 1;
            if used != *wing && !allowed.contains(&used.as_str()) {
                breaches.push(format!("{} uses {used} (only {allowed:?})", path.display()));
            }
        }
        if code.contains(&"super::".repeat(parts.len())) {
            breaches.push(format!("{} leaves its wing by super", path.display()));
        }
    }
    assert!(uses > 50, "only {uses} uses were found");
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn versions_stand_in_the_workspace_table_only() {
    for folder in members() {
        let manifest = manifest(&folder);
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in section(&manifest, kind) {
                let inherited =
                    value.get("workspace").and_then(toml::Value::as_bool).unwrap_or(false);
                assert!(inherited, "{folder}/Cargo.toml: {name} must say `workspace = true`");
            }
        }
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{folder} must take the workspace's lints"
        );
    }
}

#[test]
fn core_depends_on_nothing_that_needs_std() {
    let table =
        section(manifest("")["workspace"].as_table().expect("a workspace table"), "dependencies");
    let dependencies = section(&manifest("core"), "dependencies");
    assert!(!dependencies.is_empty());
    for (name, in_core) in &dependencies {
        let in_table = &table[name];
        // The native filler needs std and so is optional: no default feature may turn it on.
        if name == "aws-lc-rs" {
            assert_eq!(in_core["optional"].as_bool(), Some(true), "aws-lc-rs must stay optional");
            continue;
        }
        let default_features = in_table.get("default-features").and_then(toml::Value::as_bool);
        assert_eq!(default_features, Some(false), "{name} must be without default features");
        for place in [in_table, in_core] {
            let features = place.get("features").and_then(toml::Value::as_array);
            let std = features.is_some_and(|list| list.iter().any(|it| it.as_str() == Some("std")));
            assert!(!std, "{name} must not be taken with `std` (core is no_std)");
        }
    }
    let features = section(&manifest("core"), "features");
    let default = features["default"].as_array().expect("default is a list");
    assert!(
        default.iter().all(|feature| feature.as_str() == Some("rustcrypto")),
        "core's default features must stay free of std: {default:?}"
    );
}

#[test]
fn core_has_no_std_no_clock_no_files_and_no_private_keys() {
    assert_nobody_says(
        &["core"],
        &["std::", "extern crate std", "SystemTime", "Instant", "static mut", "thread_local"],
        "core takes time as an argument and knows no operating system",
        &[],
    );
    assert_nobody_says(&["core"], &PRIVATE_KEY_WORDS, "core holds public keys only", &[]);
    let lib = read(&root().join("core/src/lib.rs"));
    for promise in [
        "no_std",
        "forbid(unsafe_code)",
        "clippy::unwrap_used",
        "clippy::expect_used",
        "clippy::indexing_slicing",
        "clippy::arithmetic_side_effects",
        "clippy::panic",
    ] {
        assert!(lib.contains(promise), "core/src/lib.rs must say {promise}");
    }
}

/// How the libraries in use name private keys and what makes them.
const PRIVATE_KEY_WORDS: [&str; 9] = [
    "EcdsaKeyPair",
    "RsaKeyPair",
    "Ed25519KeyPair",
    "SigningKey",
    "SecretKey",
    "RsaPrivateKey",
    "PrivateKeyInfo",
    "PrivateKeyInfoRef",
    "EncryptedPrivateKeyInfo",
];

#[test]
fn only_signing_touches_private_keys() {
    for folder in members() {
        let dependencies = section(&manifest(&folder), "dependencies");
        let may = matches!(folder.as_str(), "core" | "signing") || folder == TESTS;
        assert!(
            may || !dependencies.contains_key("aws-lc-rs"),
            "{folder} must reach cryptography through core (verify) or signing (sign)"
        );
    }
    // The one exception: a TLS key on its way from its file into rustls.
    assert_nobody_says(
        &["daemon", "timestamp-service", "revocation-service", "cli"],
        &PRIVATE_KEY_WORDS,
        "private keys live behind signing's `Signer`",
        &["daemon/src/tls"],
    );
}

#[test]
fn only_daemon_owns_the_accept_loop() {
    for folder in ["timestamp-service", "revocation-service", "cli", "signing", "core"] {
        let dependencies = section(&manifest(folder), "dependencies");
        for name in ["hyper", "hyper-util", "tokio-rustls"] {
            assert!(!dependencies.contains_key(name), "{folder} must leave {name} to daemon");
        }
    }
    // `warp::serve` sets no header timeout: half a header would hold a connection for ever.
    assert_nobody_says(
        &["daemon", "timestamp-service", "revocation-service", "cli"],
        &["warp::serve", ".accept()"],
        "connections are accepted by daemon's loop",
        &["daemon/src/"],
    );
    assert_nobody_says(&["daemon"], &["warp::serve"], "never expose warp's own server", &[]);
}

#[test]
fn every_source_file_has_one_concept_and_a_bounded_size() {
    let mut breaches = Vec::new();
    for path in files(&root(), "rs") {
        let lines = read(&path).lines().count();
        if lines > MAX_FILE_LINES {
            breaches.push(format!("{}: {lines} lines (at most {MAX_FILE_LINES})", path.display()));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if matches!(
            name.as_str(),
            "utils" | "util" | "common" | "helpers" | "helper" | "manager" | "misc"
        ) {
            breaches.push(format!("{}: name it for its concept", path.display()));
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}
