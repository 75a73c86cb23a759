//! Build steps that cargo has no words for.
//!
//! `cargo run -p xtask -- wasm` makes the WebAssembly module and its glue for `web/`;
//! `cargo run -p xtask -- types` writes the TypeScript of the report and of every finding.

mod files;
mod glue;
mod schema;
mod types;
mod wasm;
mod weight;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Build steps that cargo has no words for")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Build core for the browser into web/src/verify/generated and print its size.
    Wasm,
    /// Build core with raw signature verification into target/wasm-bench, for `make bench`.
    WasmBench,
    /// Print what the module that `wasm` built is made of.
    Weight,
    /// Write web/src/verify/report.ts and findings.ts from docs/report.schema.json and the table of findings.
    Types,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().step {
        Step::Wasm => wasm::run(),
        Step::WasmBench => wasm::run_for_bench(),
        Step::Weight => weight::print(),
        Step::Types => types::write(),
    }
}
