//! `pyhanko-certvalidator`.

use countersign_tests::clients::run_python;

use crate::site::Site;

#[test]
fn certvalidator_is_served() {
    let site = Site::start();
    let check = |leaf: &str| {
        let arguments = ["root.pem", "issuer.pem", leaf];
        run_python("certvalidator_check.py", site.folder(), arguments).succeeds()
    };
    assert_eq!(check("good.pem").trim(), "good");
    assert!(check("revoked.pem").starts_with("revoked"), "revoked");
}
