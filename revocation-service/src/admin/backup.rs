//! A copy of the database into the service's own backup folder, while everything goes on.

use countersign_daemon::problem::Problem;
use http::StatusCode;
use serde_json::json;

use super::{Administration, answer::Answer};
use crate::reply::of_storage;

impl Administration {
    /// Copies the database: 201 with the new file's path on the service's machine.
    ///
    /// # Errors
    /// 409 where no folder is configured, or the database has its own means; storage failed.
    pub(super) async fn back_up(&self) -> Result<Answer, Problem> {
        let Some(folder) = &self.backup_folder else {
            let detail = "No backup_folder is configured.";
            return Err(Problem::new(StatusCode::CONFLICT, "backup.not_configured", detail));
        };
        // As in 2026-05-03T100000Z: sorted by time, and no character that a file system minds.
        let name = format!("revocation-{}.db", self.service.now()).replace(':', "");
        let path = folder.join(name);
        self.service.storage().back_up(&path).await.map_err(|error| of_storage(&error))?;
        let octets = tokio::fs::metadata(&path).await.map_or(0, |metadata| metadata.len());
        tracing::info!(path = %path.display(), octets, "database copied");
        let path = path.to_string_lossy();
        Ok(Answer::json(StatusCode::CREATED, &json!({ "path": path, "octets": octets })))
    }
}
