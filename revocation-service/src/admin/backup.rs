//! A copy of the database into the service's own backup folder, while everything goes on.

use std::path::{Path, PathBuf};

use countersign_daemon::{admin::Answer, problem::Problem};
use http::StatusCode;
use serde_json::json;

use super::Administration;
use crate::{register::storage::StorageError, reply::of_storage};

/// Copies that are given a name in one second.
const MOST_IN_A_SECOND: u32 = 100;

impl Administration {
    /// Copies the database: 201 with the new file's path on the service's machine.
    ///
    /// # Errors
    /// 409 if no folder is configured, or the database has its own means; storage failed.
    pub(super) async fn back_up(&self) -> Result<Answer, Problem> {
        let Some(folder) = &self.settings.backup_folder else {
            let detail = "No backup_folder is configured.";
            return Err(Problem::new(StatusCode::CONFLICT, "backup.not_configured", detail));
        };
        // As in 2026-05-03T100000Z: sorted by time, and no character that a file system minds.
        let name = format!("revocation-{}", self.now()).replace(':', "");
        let path = self.copy_to(folder, &name).await.map_err(|error| of_storage(&error))?;
        let octets = tokio::fs::metadata(&path).await.map_or(0, |metadata| metadata.len());
        tracing::info!(path = %path.display(), octets, "database copied");
        let path = path.to_string_lossy();
        Ok(Answer::json(StatusCode::CREATED, &json!({ "path": path, "octets": octets })))
    }

    /// Copies the database to a file of that name, or of the first one with a number that is free: two are
    /// made in one second.
    async fn copy_to(&self, folder: &Path, name: &str) -> Result<PathBuf, StorageError> {
        let mut number = 1;
        loop {
            let path = folder.join(match number {
                1 => format!("{name}.db"),
                _ => format!("{name}-{number}.db"),
            });
            match self.storage.back_up(&path).await {
                Err(StorageError::BackupExists { .. }) if number < MOST_IN_A_SECOND => number += 1,
                outcome => return outcome.map(|()| path),
            }
        }
    }
}
