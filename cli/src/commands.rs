//! What the commands do, a file for each noun.

mod admin;
mod audit;
mod audit_head;
mod audit_proof;
mod audit_reading;
mod ca;
mod ca_crl;
mod ca_issue;
mod completion;
mod config;
mod explain;
mod inspect;
mod key;
mod man;
mod policy;
mod revocation;
mod revocation_admin;
mod revocation_register;
mod revoke;
mod sign;
mod timestamp;
mod trust;
mod verify;
mod version;

use crate::{
    arguments::{
        AuditCommand, CaCommand, Command, ConfigCommand, KeyCommand, PolicyCommand,
        RevocationCommand, TimestampCommand, TrustCommand,
    },
    failure::Outcome,
    output::Answer,
    session::Session,
};

/// The command's name as it is typed, for the JSON object.
pub fn name(command: &Command) -> &'static str {
    match command {
        Command::Key(KeyCommand::Generate(_)) => "key generate",
        Command::Key(KeyCommand::Show(_)) => "key show",
        Command::Key(KeyCommand::Request(_)) => "key request",
        Command::Key(KeyCommand::StoreCertificate(_)) => "key store-certificate",
        Command::Ca(CaCommand::Init(_)) => "ca init",
        Command::Ca(CaCommand::Issue(_)) => "ca issue",
        Command::Ca(CaCommand::Renew(_)) => "ca renew",
        Command::Ca(CaCommand::List(_)) => "ca list",
        Command::Ca(CaCommand::Crl(_)) => "ca crl",
        Command::Trust(TrustCommand::Init(_)) => "trust init",
        Command::Trust(TrustCommand::Show(_)) => "trust show",
        Command::Policy(PolicyCommand::Init(_)) => "policy init",
        Command::Policy(PolicyCommand::Lint(_)) => "policy lint",
        Command::Sign(_) => "sign",
        Command::Verify(_) => "verify",
        Command::Timestamp(TimestampCommand::Request(_)) => "timestamp request",
        Command::Timestamp(TimestampCommand::Verify(_)) => "timestamp verify",
        Command::Revoke(_) => "revoke",
        Command::Revocation(RevocationCommand::Status(_)) => "revocation status",
        Command::Revocation(RevocationCommand::Fetch(_)) => "revocation fetch",
        Command::Revocation(RevocationCommand::Register(_)) => "revocation register",
        Command::Revocation(RevocationCommand::List(_)) => "revocation list",
        Command::Revocation(RevocationCommand::Pending(_)) => "revocation pending",
        Command::Revocation(RevocationCommand::Approve(_)) => "revocation approve",
        Command::Revocation(RevocationCommand::Reject(_)) => "revocation reject",
        Command::Revocation(RevocationCommand::Withdraw(_)) => "revocation withdraw",
        Command::Revocation(RevocationCommand::Import(_)) => "revocation import",
        Command::Revocation(RevocationCommand::Export(_)) => "revocation export",
        Command::Revocation(RevocationCommand::Backup(_)) => "revocation backup",
        Command::Audit(AuditCommand::Verify(_)) => "audit verify",
        Command::Audit(AuditCommand::Show(_)) => "audit show",
        Command::Audit(AuditCommand::Prove(_)) => "audit prove",
        Command::Audit(AuditCommand::Head(_)) => "audit head",
        Command::Inspect(_) => "inspect",
        Command::Explain(_) => "explain",
        Command::Config(ConfigCommand::Check(_)) => "config check",
        Command::Completion(_) => "completion",
        Command::Man(_) => "man",
        Command::Version(_) => "version",
    }
}

/// Runs a command.
///
/// # Errors
/// What kept it from doing what it was asked. A negative verdict is no error but an answer.
pub fn run(command: &Command, session: &Session) -> Outcome<Answer> {
    match command {
        Command::Key(KeyCommand::Generate(arguments)) => key::generate(arguments, session),
        Command::Key(KeyCommand::Show(arguments)) => key::show(arguments, session),
        Command::Key(KeyCommand::Request(arguments)) => key::request(arguments, session),
        Command::Key(KeyCommand::StoreCertificate(arguments)) => {
            key::store_certificate(arguments, session)
        }
        Command::Ca(CaCommand::Init(arguments)) => ca::init(arguments, session),
        Command::Ca(CaCommand::Issue(arguments)) => ca_issue::issue(arguments, session),
        Command::Ca(CaCommand::Renew(arguments)) => ca_issue::renew(arguments, session),
        Command::Ca(CaCommand::List(arguments)) => ca::list(arguments),
        Command::Ca(CaCommand::Crl(arguments)) => ca::crl(arguments, session),
        Command::Trust(TrustCommand::Init(arguments)) => trust::init(arguments, session),
        Command::Trust(TrustCommand::Show(arguments)) => trust::show(arguments, session),
        Command::Policy(PolicyCommand::Init(arguments)) => policy::init(arguments),
        Command::Policy(PolicyCommand::Lint(arguments)) => policy::lint(arguments),
        Command::Sign(arguments) => sign::run(arguments, session),
        Command::Verify(arguments) => verify::run(arguments, session),
        Command::Timestamp(TimestampCommand::Request(arguments)) => {
            timestamp::request(arguments, session)
        }
        Command::Timestamp(TimestampCommand::Verify(arguments)) => {
            timestamp::verify(arguments, session)
        }
        Command::Revoke(arguments) => revoke::run(arguments, session),
        Command::Revocation(command) => revocation_command(command, session),
        Command::Audit(AuditCommand::Verify(arguments)) => audit::verify_ledger(arguments, session),
        Command::Audit(AuditCommand::Show(arguments)) => audit::show(arguments, session),
        Command::Audit(AuditCommand::Prove(arguments)) => audit_proof::prove(arguments, session),
        Command::Audit(AuditCommand::Head(arguments)) => audit_head::run(arguments, session),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Config(ConfigCommand::Check(arguments)) => config::check(arguments, session),
        Command::Completion(arguments) => completion::run(arguments),
        Command::Man(arguments) => man::run(arguments),
        Command::Version(_) => version::run(),
    }
}

fn revocation_command(command: &RevocationCommand, session: &Session) -> Outcome<Answer> {
    use RevocationCommand as Named;
    match command {
        Named::Status(arguments) => revocation::status(arguments, session),
        Named::Fetch(arguments) => revocation::fetch(arguments, session),
        Named::Register(arguments) => revocation_register::run(arguments, session),
        Named::List(arguments) => revocation_admin::list(arguments, session),
        Named::Pending(arguments) => revocation_admin::pending(arguments, session),
        Named::Approve(arguments) => revocation_admin::decide(arguments, "approve", session),
        Named::Reject(arguments) => revocation_admin::decide(arguments, "reject", session),
        Named::Withdraw(arguments) => revocation_admin::withdraw(arguments, session),
        Named::Import(arguments) => revocation_admin::import(arguments, session),
        Named::Export(arguments) => revocation_admin::export(arguments, session),
        Named::Backup(arguments) => revocation_admin::backup(arguments, session),
    }
}
