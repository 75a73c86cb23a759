//! Trust roots.

use alloc::{format, string::String, vec};

use super::{View, certificates};
use crate::{
    tlog::Log,
    trust::{Authority, TrustRoot},
};

pub(super) fn trust_root(root: &TrustRoot) -> View {
    View::Fields(vec![
        ("kind", View::text("trusted-root")),
        ("certificateAuthorities", authorities(&root.certificate_authorities)),
        ("timestampAuthorities", authorities(&root.timestamp_authorities)),
        ("tlogs", logs(&root.logs)),
        ("ctlogs", logs(&root.certificate_logs)),
    ])
}

fn authorities(authorities: &[Authority]) -> View {
    let shown = authorities.iter().map(|authority| {
        View::Fields(vec![
            ("uri", View::text(authority.uri.clone())),
            ("validFor", View::text(format!("{}", authority.window))),
            ("certificates", certificates(authority.certificates())),
        ])
    });
    View::List(shown.collect())
}

fn logs(logs: &[Log]) -> View {
    let shown = logs.iter().map(|log| {
        let scheme = log.key.scheme().map_or("of a kind that is not known", |scheme| scheme.name());
        View::Fields(vec![
            ("baseUrl", View::text(log.base_url.clone())),
            ("logId", View::hex(&log.id)),
            ("validFor", View::text(format!("{}", log.window))),
            ("publicKey", View::text(String::from(scheme))),
        ])
    });
    View::List(shown.collect())
}
