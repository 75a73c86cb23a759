//! wasm-bindgen's JavaScript, made into a function that gives a fresh instance each time.
//!
//! wasm-bindgen keeps one instance per page for ever. A trap (a panic in Rust) leaves an instance
//! that must not be called again, so ours is made anew; and fetching and compiling are `engine.ts`'s,
//! which knows workers, Node and integrity.

use anyhow::{Context, ensure};

const HEAD: &str = "let wasm_bindgen = (function(exports) {\n";
const TAIL: &str = "    return Object.assign(__wbg_init, { initSync }, exports);\n";

/// What follows the exports in the declarations.
const AFTER_EXPORTS: &str = "declare type InitInput ";

/// The exports, and what `factory` adds to them.
const OWN_TYPE: &str = "type Glue = typeof wasm_bindgen & {\n  \
    initSync(options: { module: WebAssembly.Module }): void;\n  \
    abandon(): void;\n};\n";

/// What we do not want in it: from the first text up to the second.
const CUTS: [(&str, &str); 3] = [
    ("    let script_src;\n", "    /**\n"),
    ("    async function __wbg_load(", "    function initSync("),
    ("    let __wbg_init_promise;\n", TAIL),
];

/// The module `generated/glue.ts`.
///
/// # Errors
/// When wasm-bindgen's output has not the form of the version that we pin.
pub(crate) fn factory(javascript: &str) -> anyhow::Result<String> {
    let mut body = javascript.to_owned();
    for (from, up_to) in CUTS {
        body = without(&body, from, up_to)?;
    }
    let body = body.strip_prefix(HEAD).context("wasm-bindgen's glue begins otherwise")?;
    let (body, _) = body.split_once(TAIL).context("wasm-bindgen's glue ends otherwise")?;
    Ok(format!(
        "// @ts-nocheck\n\
        // Made by `cargo run -p xtask -- wasm` from wasm-bindgen's output.\n\
        export function createGlue() {{\n    \
        const exports = {{ __proto__: null }};\n\
        {body}    \
        // Objects that are collected later must not call into an instance that may have trapped.\n    \
        function abandon() {{\n        \
        wasm = {{ __wbg_hasher_free() {{}}, __wbg_verification_free() {{}} }};\n    \
        }}\n    \
        return Object.assign({{ initSync, abandon }}, exports);\n\
        }}\n"
    ))
}

/// `factory`'s module with the types of what the function gives, from wasm-bindgen's declarations.
///
/// The compiler then holds `engine.ts`, which says what it uses of the module, against what the module has.
///
/// # Errors
/// When wasm-bindgen's output has not the form of the version that we pin.
pub(crate) fn typed_factory(javascript: &str, declarations: &str) -> anyhow::Result<String> {
    let (exports, _) = declarations
        .split_once(AFTER_EXPORTS)
        .context("wasm-bindgen's declarations end otherwise")?;
    ensure!(
        exports.starts_with("declare namespace wasm_bindgen {\n"),
        "wasm-bindgen's declarations begin otherwise"
    );
    // Older compilers, in whose hands the package may come, do not know it.
    let exports = exports.replace("    [Symbol.dispose](): void;\n", "");
    let module = factory(javascript)?.replacen("createGlue() {", "createGlue(): Glue {", 1);
    Ok(format!("{module}{OWN_TYPE}{exports}"))
}

fn without(text: &str, from: &str, up_to: &str) -> anyhow::Result<String> {
    let start = text.find(from).with_context(|| format!("the glue has no {from:?}"))?;
    let length = text[start..].find(up_to).with_context(|| format!("the glue has no {up_to:?}"))?;
    Ok([&text[..start], &text[start + length..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn javascript() -> String {
        [
            HEAD,
            "    let script_src;\n    if (x) {}\n    /**\n     * A class.\n     */\n    class Hasher {}\n",
            "    async function __wbg_load(module) {}\n",
            "    function initSync(module) {}\n",
            "    let __wbg_init_promise;\n    async function __wbg_init() {}\n",
            TAIL,
            "})({ __proto__: null });\n",
        ]
        .concat()
    }

    #[test]
    fn takes_the_loader_out_and_keeps_the_classes() {
        let made = factory(&javascript()).expect("the known form");
        assert!(made.contains("class Hasher {}") && made.contains("function initSync"));
        for gone in ["script_src", "__wbg_load", "__wbg_init", "let wasm_bindgen"] {
            assert!(!made.contains(gone), "{gone} is still in:\n{made}");
        }
    }

    #[test]
    fn says_which_types_the_exports_have() {
        let declarations = "declare namespace wasm_bindgen {\n    export class Hasher {\n    free(): void;\n    \
            [Symbol.dispose](): void;\n    }\n}\ndeclare type InitInput = URL;\n";
        let made = typed_factory(&javascript(), declarations).expect("the known form");
        assert!(made.contains("export function createGlue(): Glue {"), "{made}");
        assert!(made.contains("export class Hasher {\n    free(): void;\n    }\n}\n"), "{made}");
        assert!(!made.contains("dispose](): void") && !made.contains("InitInput"), "{made}");
    }

    #[test]
    fn refuses_a_form_that_it_does_not_know() {
        assert!(factory("export default 1;").is_err());
        assert!(typed_factory(&javascript(), "export class Hasher {}").is_err());
    }
}
