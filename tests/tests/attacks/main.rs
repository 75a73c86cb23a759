//! What an attacker wants, tried against the programs as they run: one file a want, and nothing of it is
//! got. SECURITY.md says who the attackers are. F1 to F22 are the findings of the penetration test of 28 November
//! 2026, A2 and so on those of another attack on the next day, B2 and so on of a third, C2 and so on of a fourth, D1 and so on of a fifth; a test that needs another clock, or a fault of a disk, stands beside what it is about.
//!
//! | Finding | File | What the attacker wants |
//! |---|---|---|
//! | F1 | `administer_from_a_web_page` | the second person's approval, by a page that they look at |
//! | F2 | `have_a_file_signed_that_is_a_statement` | a statement about malware, by a text file that was signed |
//! | F3 | `fill_the_memory_with_questions` | all memory of the OCSP responder, by long questions |
//! | F4 | `hold_every_place_by_silence` | every place of a listener, without a request |
//! | F5 | `set_the_time_with_one_authority` | an earlier time, by one of two timestamp authorities |
//! | F6 | `undo_a_revocation_by_the_next_crl` | a revocation undone by an option left out |
//! | F7 | `have_something_approved_that_was_not_shown` | an approval for another state than was seen |
//! | F8 | `get_in_with_a_revoked_key` | to administer after having been locked out |
//! | F9 | `stay_in_after_the_certificate_expired` | to administer as long as a connection stands |
//! | F10 | `pass_with_another_kind_of_name` | to be the expected signer, by the name of a branch |
//! | F11 | `have_the_ca_certify_another_key` | a certificate for their own key, by a file in the CA's folder |
//! | F12 | `forget_a_revocation_by_an_older_list` | a revocation forgotten, by the list from before |
//! | F13 | `block_the_start_as_another_user` | the service not to start, by a lock on its files |
//! | F14 | `speak_for_somebody_else_in_an_import` | another person's name on what they did |
//! | F15 | `rewrite_the_ledger` | what they did off the record |
//! | F16 | `fill_the_ledger_with_denials` | a full disk, by orders that they may not give |
//! | F17 | `read_a_secret_in_an_error` | a password, a PIN or a key in a message or a log |
//! | F18 | `read_a_secret_in_a_childs_environment` | passphrases, by a program that PATH finds |
//! | F19 | `reach_this_machine_by_a_redirect` | what only the verifier's machine can reach |
//! | F20 | `get_in_with_another_certificate` | to be an administrator, by a host name or another purpose |
//! | F21 | | limits for trusted proxies are as configured: `daemon/src/peer.rs`, docs/operations.md |
//! | F22 | `connect_without_tls_by_a_misspelling` | the connection to the database in the clear |
//! | A2, A3 | `hold_the_room_for_bodies` | every other request refused, by bodies that never end |
//! | besides | `have_nothing_recorded_unseen` | no record of orders, by accident |
//! | a renamed file | `offer_an_old_release_under_a_new_name` | an old release taken for the new one |
//! | the page | `bring_trust_along_with_malware` | *genuine* for malware that brings its own trust |
//! | A4 | `keep_a_certificate_from_being_revoked` | an accomplice's certificate never revoked from the day of the theft on |
//! | A5 | `load_a_library_from_the_cas_folder` | code of theirs run by `countersign ca` |
//! | A6 | `forget_a_revocation_by_two_runs_at_once` | a revocation forgotten, by two verifications at the same time |
//! | A7 | `starve_the_administration` | no order given and no CRL made, by questions |
//! | A8 | `hide_what_waits` | another person's proposal out of sight, behind withdrawn ones |
//! | A9 | `hide_a_release_from_a_compromise` | a release out of what a theft concerns, by a false time |
//! | A10 | `have_one_order_done_many_times` | one order carried out as often as it is sent at once |
//! | A11 | `write_elsewhere_by_a_link_in_the_cas_folder` | other files written and read as the CA's |
//! | A14 | `pass_under_a_name_that_is_no_text` | a file taken for another, by octets that are not UTF-8 |
//! | A16 | `pass_without_a_name` | a file accepted that its signer may not sign |
//! | B2 | `switch_revocation_off_by_lines_beside_the_bundle` | nobody asked about a revoked signer, by decoys |
//! | B3 | `leave_a_certificate_good_by_an_import` | a certificate good although its key is revoked, by an import |
//! | B5 | | keys and releases come by pages, and CRLs have database connections of their own: `revocation-service/src/register/storage/sqlite.rs` |
//! | B6 | `hold_up_an_order_by_an_import` | an urgent revocation not recorded, by a long import |
//! | B8 | `register_another_form_of_a_certificate_first` | a certificate never registered or revoked, by another form of it |
//! | B9 | `forget_a_revocation_by_two_runs_at_once` | as A6, in one page or process, or in several pages |
//! | B10 | `have_a_refused_import_done` | something revoked that the record says was refused |
//! | B11 | | an order and a registration at once: `revocation-service/tests/service/storage/imports.rs` |
//! | C1, C11, C12 | `pretend_that_records_were_archived` | what was seen of a ledger not compared; another file locked |
//! | C2 | `read_a_part_of_a_password` | a part of the database's password, in a message about an address |
//! | C3, C4 | `hang_a_verifier_by_many_small_parts` | a pipeline, a server or a page held for hours, by one small file |
//! | C5 | `backdate_where_no_time_is_asked_for` | a stolen key to sign on, under a policy that trusts no authority's time |
//! | C6 | `push_a_kept_list_out` | a revocation that was seen forgotten, by others' lists |
//! | C8 | `load_a_library_from_the_cas_folder` | the same by the folder in which a program is started |
//! | C14 | | `chronyc` gets nothing of a service's environment: `daemon/src/clock_monitor/chrony.rs` |
//! | C7 | `keep_a_stolen_key_good_by_an_earlier_date` | a stolen key good in its other certificates, by one that was revoked before |
//! | C9 | | a slow replica's list takes nothing back: `revocation-service/tests/service/storage/promises.rs` |
//! | C10 | | a compromise in an import takes the key: `revocation-service/tests/service/storage/compromises.rs`, `administration/compromise.rs` |
//! | D1, D16 | | no pipe, device or link in a ledger's folder is read or written: `ledger/src/tests.rs` |
//! | D2 | | a policy that is set is applied to a key: `cli/tests/behaviour/public_bundles.rs` |
//! | D3 | | no name of a ledger is called proved: `cli/tests/behaviour/audit_tree.rs` |
//! | D4 | `forget_a_revocation_that_was_handed_in` | a revocation forgotten that was not fetched |
//! | D5 | `rewrite_the_ledger` | a ledger written anew taken for another one |
//! | D6 | | a list that leaves something out taken for the whole one: `revocation-service/tests/service/crl_complete.rs` |
//! | D7 | | an administrator in again by a newer list that does not list them: `revocation-service/tests/service/administration/lockout.rs` |
//! | D8 | | an old release under a new name, on the page: `web/tests/browser/page-flows.ts` |
//! | D9 | | a wrong signer, registered first, keeps no release out: `revocation-service/tests/service/storage/administration.rs` |
//! | D10 | | "good" in lookups of what a CRL made elsewhere revokes: `revocation-service/tests/service/crl_complete.rs` |
//! | D11 | | a CRL that one replica has and another does not: `revocation-service/tests/service/crl_complete.rs`, `storage/promises.rs` |
//! | D12 | | an administrator in again when the list runs out that has them on hold: `revocation-service/tests/service/administration/lockout.rs` |
//! | D13 | | who was locked out since proposes nothing: `revocation-service/tests/service/administration/two_people.rs` |
//! | D14 | | the record of an order is what was sent: `revocation-service/tests/service/administration/record.rs` |
//! | D15 | | entries lost as an issuer's key comes to the service: `revocation-service/tests/service/crl_complete.rs` |
//! | D17 | `be_another_key_in_another_encoding` | a key that was stolen to be another one, in another encoding |
//! | held | `pollute_the_pages_objects` | a check to pass, by a key `__proto__` |
//! | held | `smuggle_a_request` | a request past a proxy, within another one |
//! | held | `overwrite_a_file_by_a_link` | another file overwritten by an output |
//! | held | `get_in_with_another_certificate` | to be two people, by two certificates |
//!
//! What held besides has its tests elsewhere: floods of HTTP/2 frames in `daemon/tests/behaviour/floods.rs`; JSON with
//! a key twice, or deep, in `core/src/json/`; identities that `ca issue` refuses, and control characters in what is
//! shown, in `cli/tests/behaviour/{certificate_authority,bad_input}.rs`; the `Idempotency-Key` of another administrator
//! in `revocation-service/tests/service/administration/record.rs`.

mod administer_from_a_web_page;
mod backdate_where_no_time_is_asked_for;
mod be_another_key_in_another_encoding;
mod block_the_start_as_another_user;
mod bring_trust_along_with_malware;
mod connect_without_tls_by_a_misspelling;
mod fill_the_ledger_with_denials;
mod fill_the_memory_with_questions;
mod forged;
mod forget_a_revocation_by_an_older_list;
mod forget_a_revocation_by_two_runs_at_once;
mod forget_a_revocation_that_was_handed_in;
mod get_in_with_a_revoked_key;
mod get_in_with_another_certificate;
mod hang_a_verifier_by_many_bundles;
mod hang_a_verifier_by_many_small_parts;
mod have_a_file_signed_that_is_a_statement;
mod have_a_refused_import_done;
mod have_nothing_recorded_unseen;
mod have_one_order_done_many_times;
mod have_something_approved_that_was_not_shown;
mod have_the_ca_certify_another_key;
mod hide_a_release_from_a_compromise;
mod hide_what_waits;
mod hold_every_place_by_silence;
mod hold_the_room_for_bodies;
mod hold_up_an_order_by_an_import;
mod keep_a_certificate_from_being_revoked;
mod keep_a_stolen_key_good_by_an_earlier_date;
mod leave_a_certificate_good_by_an_import;
mod load_a_library_from_the_cas_folder;
mod offer_an_old_release_under_a_new_name;
mod overwrite_a_file_by_a_link;
mod pass_under_a_name_that_is_no_text;
mod pass_with_another_kind_of_name;
mod pass_without_a_name;
mod pollute_the_pages_objects;
mod pretend_that_records_were_archived;
mod push_a_kept_list_out;
mod reach_this_machine_by_a_redirect;
mod read_a_part_of_a_password;
mod read_a_secret_in_a_childs_environment;
mod read_a_secret_in_an_error;
mod register_another_form_of_a_certificate_first;
mod rewrite_the_ledger;
mod set_the_time_with_one_authority;
#[path = "../revocation_cli/site.rs"]
#[allow(dead_code, reason = "the site of another suite, of which this one needs a part")]
mod site;
mod smuggle_a_request;
mod speak_for_somebody_else_in_an_import;
mod starve_the_administration;
mod stay_in_after_the_certificate_expired;
mod switch_revocation_off_by_lines_beside_the_bundle;
mod undo_a_revocation_by_the_next_crl;
mod web;
mod write_elsewhere_by_a_link_in_the_cas_folder;
