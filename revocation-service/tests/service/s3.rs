//! An S3-compatible object store: moto, in a process of its own (`tests/clients/s3_server.py`), with a
//! certificate of a test's CA. Everybody may read; a write must be signed.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
};

use countersign_revocation::config::{Config, PublicationConfig};
use countersign_signing::{
    files::{FileMode, write_new},
    profile::Authority,
};
use rustls::ClientConfig;

use crate::{
    http::{Reply, send_tls},
    world::{Files, World, text},
};

/// As in the program.
const ACCESS_KEY_ID: &str = "countersign-test";
pub(crate) const SECRET: &str = "a secret of the tests";
const BUCKET: &str = "crls";

/// A store with an empty bucket; gone when dropped, with everything in it.
pub(crate) struct S3 {
    child: Child,
    _alive: ChildStdin,
    address: SocketAddr,
    reader: Arc<ClientConfig>,
}

impl S3 {
    /// Starts one with the certificate of `files`, at that port; 0: a free one.
    pub(crate) fn start(world: &World, files: &Files, port: u16) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let packages = workspace.join("target/clients/python");
        assert!(packages.join("moto").is_dir(), "moto is missing: run scripts/setup test");
        let mut child = Command::new("python3")
            .arg(workspace.join("tests/clients/s3_server.py"))
            .args([text(&files.certificate), text(&World::plain_key(files)), &port.to_string()])
            .arg(BUCKET)
            .env("PYTHONPATH", packages)
            .env("PYTHONNOUSERSITE", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let alive = child.stdin.take().expect("its input");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let port = line.trim().parse().expect("a port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self { child, _alive: alive, address, reader: world.stranger() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the configuration of a service says of it, with this secret.
    pub(crate) fn publication(&self, world: &World, secret: &str) -> PublicationConfig {
        PublicationConfig {
            url: Some(format!("s3://{BUCKET}/pki")),
            endpoint: Some(format!("https://{}", self.address)),
            region: Some("nowhere-1".to_owned()),
            access_key_id: Some(ACCESS_KEY_ID.to_owned()),
            secret_access_key_file: Some(secret_file(world, secret)),
            ca_certificate: Some(world.ca.certificate_path(Authority::Root)),
            ..PublicationConfig::default()
        }
    }

    /// What a CDN gets of the CRL with that path.
    pub(crate) fn get(&self, path: &str) -> Reply {
        let path = format!("/{BUCKET}/pki/{path}");
        send_tls(self.address, &self.reader, "GET", &path, b"").expect("a reply")
    }

    /// Path and status of each write.
    pub(crate) fn writes(&self) -> Vec<(String, u16)> {
        let reply = send_tls(self.address, &self.reader, "GET", "/_log", b"").expect("a reply");
        serde_json::from_slice(&reply.body).expect("pairs")
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts the secret into its file, whatever was in there.
pub(crate) fn secret_file(world: &World, secret: &str) -> PathBuf {
    let path = world.path("secret");
    let _ = fs::remove_file(&path);
    write_new(&path, secret.as_bytes(), FileMode::Private).expect("written");
    path
}

/// A configuration with the figures' listener.
pub(crate) fn with_figures(config: &mut Config) {
    config.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
}
