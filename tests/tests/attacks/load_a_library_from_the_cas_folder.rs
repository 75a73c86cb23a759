//! Somebody who can write to the CA's folder names a PKCS#11 library of their own in *ca.toml*, which `countersign ca`
//! loads and so runs, or a file of the user's, whose first line goes to a token as the PIN.

use std::{fs, process::Command};

use countersign_tests::scenario::{Folder, Ran, Site};
use serde_json::Value;

/// Says that it was loaded, and does nothing else.
const LIBRARY: &str = "#include <fcntl.h>\n#include <unistd.h>\n\
                       __attribute__((constructor)) static void loaded(void)\n\
                       { close(open(MARK, O_WRONLY | O_CREAT, 0600)); }\n";

fn founded() -> Site {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    site.shell.succeed(&site.founding_commands()[0]).expect("founded");
    site
}

/// A library that leaves the file `loaded` in the folder when it is loaded.
fn make_library(site: &Site) -> String {
    let folder = site.shell.folder();
    fs::write(folder.join("evil.c"), LIBRARY).expect("written");
    let mark = format!("-DMARK=\"{}\"", folder.join("loaded").display());
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "evil.so", "evil.c", &mark])
        .current_dir(folder)
        .output()
        .expect("cc is there (apt-get install gcc)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("evil.so").display().to_string()
}

fn error(ran: &Ran) -> Value {
    let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
    value["error"].clone()
}

#[test]
fn a_folder_names_neither_a_library_nor_a_file_with_a_pin() {
    let site = founded();
    let library = make_library(&site);
    let folder = site.shell.folder();
    fs::write(folder.join("diary"), "dear diary\n").expect("written");
    let settings = fs::read_to_string(folder.join("ca/ca.toml")).expect("readable");
    let diary = folder.join("diary").display().to_string();
    for (query, named, code) in [
        (format!("module-path={library}"), "module-path", "setup.configuration.invalid"),
        (format!("pin-source=file:{diary}"), "pin-source", "setup.configuration.invalid"),
        ("module-name=evil".to_owned(), "module-name", "setup.input.unreadable"),
        (format!("module%2Dpath={library}"), "%", "setup.input.unreadable"),
    ] {
        let keys = format!("\n[keys]\nsigning = \"pkcs11:token=T;object=k?{query}\"\n");
        fs::write(folder.join("ca/ca.toml"), format!("{settings}{keys}")).expect("written");
        for order in [
            "ca list --dir ca",
            "ca crl --dir ca --ca signing --output signing.crl",
            "ca issue --dir ca --profile code-signer --email a@example.org --new-key a.key --output a.pem",
        ] {
            let ran =
                site.shell.run(&format!("countersign --format json {order}")).expect("a shell");
            let error = error(&ran);
            assert_eq!(error["code"], code, "{order}, {query}: {}", ran.said());
            assert!(error["found"].as_str().expect("words").contains(named), "{error}");
            assert!(!ran.said().contains("dear diary"), "{}", ran.said());
            assert!(!folder.join("loaded").exists(), "{order}: the library was loaded");
        }
    }
}

/// What to do instead is said, and it works as far as it goes without a token: the library of the environment is loaded.
#[test]
fn the_library_comes_from_the_environment() {
    let mut site = founded();
    let library = make_library(&site);
    let path = site.shell.folder().join("ca/ca.toml");
    let settings = fs::read_to_string(&path).expect("readable");
    let crl = "countersign --format json ca crl --dir ca --ca signing --output signing.crl";
    let named = |query: &str| format!("{settings}\n[keys]\nsigning = \"pkcs11:token=T{query}\"\n");
    fs::write(&path, named(&format!("?module-path={library}"))).expect("written");
    let told = error(&site.shell.run(crl).expect("a shell"));
    let remedy = told["expected"].as_str().expect("words").to_owned();
    assert!(remedy.contains("COUNTERSIGN_PKCS11_MODULE"), "{told}");
    fs::write(&path, named("?pin-source=file:/etc/passwd")).expect("written");
    let told = error(&site.shell.run(crl).expect("a shell"));
    let remedy = told["expected"].as_str().expect("words").to_owned();
    assert!(remedy.contains("--ca-passphrase-file"), "{told}");
    fs::write(&path, named("")).expect("written");
    site.shell.export("COUNTERSIGN_PKCS11_MODULE", &library);
    let ran = site.shell.run(crl).expect("a shell");
    assert_eq!(error(&ran)["code"], "setup.token.unusable", "{}", ran.said());
    assert!(site.shell.folder().join("loaded").exists(), "{}", ran.said());
}

/// Somebody else put a library into the folder in which the program is started.
#[test]
fn a_library_in_the_current_folder_is_not_loaded() {
    let mut site = founded();
    make_library(&site);
    for name in ["evil.so", "./evil.so"] {
        site.shell.export("COUNTERSIGN_PKCS11_MODULE", name);
        let line = "countersign --format json key show --key 'pkcs11:token=T;object=k'";
        let ran = site.shell.run(line).expect("a shell");
        assert_eq!(error(&ran)["code"], "setup.token.unusable", "{name}: {}", ran.said());
        assert!(!site.shell.folder().join("loaded").exists(), "{name}: the library was loaded");
    }
}
