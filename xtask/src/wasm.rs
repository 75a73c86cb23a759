//! core for the browser: compile, bind, shrink, measure.
//!
//! Compiles with the profile `wasm` of the workspace (small, whole-program); where the target's
//! libraries are missing, from rust-src, as `scripts/check-core` does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256, Sha384};
use wasm_bindgen_cli_support::Bindgen;

use crate::{files, glue};

const TARGET: &str = "wasm32-unknown-unknown";
const NAME: &str = "countersign_wasm";
/// What cargo makes, in its target folder; it still has the functions' names.
pub(crate) const COMPILED: &str = "wasm32-unknown-unknown/wasm/countersign_wasm.wasm";

/// What the module may weigh on its way to a browser, in bytes after brotli; docs/javascript.md says what it is made of.
const BROTLI_BUDGET_BYTES: usize = 250_000;

/// What the module may use: what rustc uses for this target, and SIMD. Every browser since 2023.
const FEATURES: [&str; 7] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Measured one by one: without inlining 6 % less, without the others 1 %.
const GREEDY_PASSES: [&str; 3] = ["inlining-optimizing", "local-cse", "simplify-locals"];

/// The same code with one export more, by the same steps: `countersign.wasm` and `glue.js`.
pub(crate) fn run_for_bench() -> anyhow::Result<()> {
    let root = files::root();
    let folder = root.join("target/wasm-bench");
    let compiled = compile(&root, &["--features", "countersign-wasm/bench"], &folder)?;
    let work = folder.join("bound");
    bind(&compiled, &work)?;
    optimise(&root, &work.join(format!("{NAME}_bg.wasm")), &folder.join("countersign.wasm"))?;
    let javascript = fs::read_to_string(work.join(format!("{NAME}.js")))?;
    files::write(&folder.join("glue.js"), glue::factory(&javascript)?.as_bytes())
}

/// Compiles, binds and shrinks, unless the outcome is there already; prints the sizes.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = files::root();
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let compiled = compile(&root, &[], &target)?;
    let folder = root.join("web/src/verify/generated");
    let stamp_file = folder.join("stamp");
    // wasm-opt takes far longer than to see that nothing changed.
    let stamp = stamp(&compiled)?;
    if fs::read_to_string(&stamp_file).is_ok_and(|held| held == stamp) {
        println!("wasm: up to date");
        return report_size(&folder.join("countersign.wasm"));
    }
    let work = root.join("target/wasm-bindgen");
    bind(&compiled, &work)?;
    let optimised = work.join("optimised.wasm");
    optimise(&root, &work.join(format!("{NAME}_bg.wasm")), &optimised)?;
    let module = fs::read(&optimised)?;
    let javascript = fs::read_to_string(work.join(format!("{NAME}.js")))?;
    let declarations = fs::read_to_string(work.join(format!("{NAME}.d.ts")))?;
    let glue = glue::typed_factory(&javascript, &declarations)?;
    files::write(&folder.join("glue.ts"), glue.as_bytes())?;
    files::write(&folder.join("integrity.ts"), integrity(&module).as_bytes())?;
    files::write(&folder.join("countersign.wasm"), &module)?;
    files::write(&stamp_file, stamp.as_bytes())?;
    report_size(&folder.join("countersign.wasm"))
}

/// Compiles the crate with those arguments into that target folder; the path of the module.
fn compile(root: &Path, arguments: &[&str], target: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["rustc", "--quiet", "-p", "countersign-wasm", "--profile", "wasm"])
        // As a Rust library it would export what Rust might call, and nothing could be left out of it: not even the
        // words of panics that nobody reads. Half of the functions were there for that alone.
        .args(["--lib", "--crate-type", "cdylib", "--target", TARGET])
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_ENCODED_RUSTFLAGS", compiler_flags(root).join("\u{1f}"));
    if !has_target_libraries()? {
        command.env("RUSTC_BOOTSTRAP", "1").args(["-Z", "build-std=core,alloc,panic_abort"]);
    }
    let status = command.status().context("cannot start cargo")?;
    ensure!(
        status.success(),
        "the module did not compile; `scripts/setup test` puts what the target {TARGET} needs in place"
    );
    Ok(target.join(COMPILED))
}

fn compiler_flags(root: &Path) -> [String; 3] {
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .unwrap_or_default();
    [
        // Every browser since 2023 has it; SHA-2 and the curves gain.
        String::from("-Ctarget-feature=+simd128"),
        // Places of panics name files: short, and the same on every machine.
        format!("--remap-path-prefix={home}/registry/src="),
        format!("--remap-path-prefix={}=", root.display()),
    ]
}

fn has_target_libraries() -> anyhow::Result<bool> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    let folder = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let Ok(entries) = fs::read_dir(folder) else { return Ok(false) };
    Ok(entries
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-")))
}

/// The module and its JavaScript, by the library of exactly the version that the crate is compiled
/// against.
fn bind(compiled: &Path, work: &Path) -> anyhow::Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .no_modules(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.generate(work).context("wasm-bindgen failed")
}

fn optimise(root: &Path, from: &Path, to: &Path) -> anyhow::Result<()> {
    let tool = root.join("web/node_modules/.bin/wasm-opt");
    ensure!(tool.exists(), "{} is missing: run `scripts/setup test`", tool.display());
    // -Oz: what size costs, the crypto crates' own optimisation has already bought back. Without the passes that make
    // the module smaller before brotli and larger after: bodies that were alike no longer are.
    let status = Command::new(&tool)
        .args(["-Oz", "--strip-debug", "--strip-producers"])
        .args(GREEDY_PASSES.map(|pass| format!("--skip-pass={pass}")))
        // The stack begins there: nothing that is not lost already reads or writes the first KiB.
        .arg("--low-memory-unused")
        .args(FEATURES)
        .arg(from)
        .arg("-o")
        .arg(to)
        .status()
        .context("cannot start wasm-opt")?;
    ensure!(status.success(), "wasm-opt failed");
    Ok(())
}

/// What the outcome depends on.
fn stamp(compiled: &Path) -> anyhow::Result<String> {
    let module = fs::read(compiled).with_context(|| compiled.display().to_string())?;
    let lock = fs::read(files::root().join("web/package-lock.json")).unwrap_or_default();
    let own = concat!(include_str!("wasm.rs"), include_str!("glue.rs"));
    let digest = Sha256::new().chain_update(&module).chain_update(&lock).chain_update(own);
    Ok(Base64::encode_string(&digest.finalize()))
}

/// The module's integrity, with which it is fetched.
fn integrity(module: &[u8]) -> String {
    let digest = Base64::encode_string(&Sha384::digest(module));
    format!(
        "// Made by `cargo run -p xtask -- wasm`.\n\
        export const wasmIntegrity = \"sha384-{digest}\";\n"
    )
}

/// The bytes that a browser downloads of it.
pub(crate) fn compressed_size(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut compressed = Vec::new();
    let parameters =
        brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed.len())
}

fn report_size(module: &Path) -> anyhow::Result<()> {
    let module = fs::read(module)?;
    let compressed = compressed_size(&module)?;
    println!(
        "wasm: {} bytes, {compressed} bytes brotli (budget {BROTLI_BUDGET_BYTES})",
        module.len()
    );
    if compressed > BROTLI_BUDGET_BYTES {
        bail!("the module is over its budget: `cargo run -p xtask -- weight` says what grew");
    }
    Ok(())
}
