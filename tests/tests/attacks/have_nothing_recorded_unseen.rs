//! Orders leave no trace, since the ledger is not kept and nobody meant that. It is left out only by
//! `[audit] mode = "off"`, which is what the services recommend to who wants none: that alone is enough, and it does
//! what it says.

use std::fs;

use countersign_tests::{
    programs::{REVOCATION, Service, TIMESTAMP},
    scenario::{Limits, Site},
};

#[test]
fn the_record_is_off_only_on_purpose() {
    let site = Site::found(&Limits::Usual).expect("founded");
    let folder = site.shell.folder();
    for (program, file, listeners) in [
        (TIMESTAMP, "timestamp.toml", &["public"][..]),
        (REVOCATION, "revocation.toml", &["public", "admin"]),
    ] {
        let good = fs::read_to_string(folder.join(file)).expect("a configuration");
        let with = |table: &str| {
            fs::write(folder.join(file), format!("{good}\n{table}\n")).expect("written");
            site.shell.run(&format!("{program} --check --config {file}")).expect("a shell")
        };
        for table in ["[audit]", "[audit]\nmode = \"strict\"", "[audit]\nmode = \"Off\""] {
            let ran = with(table);
            assert_eq!(ran.exit_code, 2, "{program} {table}: {}", ran.said());
        }
        let ran = with("[audit]\nmode = \"off\"");
        assert_eq!(ran.exit_code, 0, "{program}: {}", ran.said());
        let programs = site.shell.programs();
        let service =
            Service::start(programs, program, folder, file, listeners).expect("it listens");
        service.stop().expect("it ends");
    }
    let is_ledger = |name: &str| name.contains("audit") || name.contains("ledger");
    let names =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").file_name());
    let found: Vec<_> = names.filter(|name| is_ledger(&name.to_string_lossy())).collect();
    assert!(found.is_empty(), "{found:?}");
    // Administration without a word about it is recorded.
    site.configure(&Limits::Usual).expect("written");
    site.start_revocation().expect("it listens").stop().expect("it ends");
    site.shell.succeed("countersign audit verify revocation.db.audit").expect("a ledger");
}
