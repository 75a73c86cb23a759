//! What an attacker wants, tried against the programs as they run: one file a want, and nothing of it is
//! got. SECURITY.md says who the attackers are.

mod administer_from_a_web_page;
#[path = "../revocation_cli/site.rs"]
#[allow(dead_code, reason = "the site of another suite, of which this one needs a part")]
mod site;
mod have_a_file_signed_that_is_a_statement;
mod offer_an_old_release_under_a_new_name;
mod pass_with_another_kind_of_name;
mod rewrite_the_ledger;
mod set_the_time_with_one_authority;
mod undo_a_revocation_by_the_next_crl;
