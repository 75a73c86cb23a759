//! Somebody who can write to the folder where output goes lays a symbolic link there: `--force` writes through it, to
//! a file of who runs the program.

use std::fs;

use countersign_tests::scenario::{Limits, Site};

#[test]
fn a_link_in_the_place_of_an_output_is_replaced_and_its_target_untouched() {
    let site = Site::found(&Limits::Usual).expect("founded");
    let folder = site.shell.folder();
    fs::write(folder.join("precious"), "untouched").expect("written");
    fs::write(folder.join("app"), "x").expect("written");
    for (line, precious) in [
        ("countersign policy init --identity a@example.org --force", "precious"),
        ("countersign trust init --dir ca --force", "precious"),
        ("countersign ca crl --dir ca --ca root", "root.crl"),
        (
            "countersign sign app --key signer.key --certificate signer.pem --no-timestamp \
             --trusted-root trusted_root.json --no-revocation-check --force",
            "precious",
        ),
    ] {
        let before = fs::read(folder.join(precious)).expect("there");
        site.shell.succeed(&format!("rm -f out && ln -s {precious} out")).expect("linked");
        site.shell.succeed(&format!("{line} --output out")).expect("replaced");
        assert_eq!(fs::read(folder.join(precious)).expect("there"), before, "{line}");
        assert!(!fs::symlink_metadata(folder.join("out")).expect("there").is_symlink(), "{line}");
    }
    // What replaces nothing writes nothing through a link, to a file that is there or is not yet.
    for line in [
        "countersign policy init --identity a@example.org",
        "countersign key show --key signer.key",
        "countersign key generate",
    ] {
        for target in ["precious", "nowhere"] {
            site.shell.succeed(&format!("rm -f out && ln -s {target} out")).expect("linked");
            let ran = site.shell.run(&format!("{line} --output out")).expect("a shell");
            assert_eq!(ran.exit_code, 3, "{line} {target}: {}", ran.said());
            let precious = fs::read_to_string(folder.join("precious")).expect("there");
            assert_eq!(precious, "untouched", "{line}");
            assert!(!folder.join("nowhere").exists(), "{line}");
        }
    }
}
