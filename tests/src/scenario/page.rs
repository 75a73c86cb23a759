//! The page, served with a release folder that has a download in each state.

use std::path::{Path, PathBuf};

use super::{
    PageServer, ScenarioError, Site,
    downloads::{self, Downloads},
    page_server::Content,
    site::file,
};
use crate::programs::Service;

/// The page while it is served. The revocation service runs as long, since the page asks it.
#[derive(Debug)]
pub struct OpenPage {
    server: PageServer,
    downloads: Downloads,
    _revocation: Service,
}

impl OpenPage {
    /// Publishes a release at `site`, whose services do not run, and serves it with the page.
    ///
    /// # Errors
    /// When the page was not built, or a command fails.
    pub fn open(site: &mut Site) -> Result<Self, ScenarioError> {
        let page = built("page")?;
        let timestamp = site.start_timestamp()?;
        let revocation = site.start_revocation()?;
        site.export_administration(&revocation);
        let downloads = downloads::publish(site, &timestamp)?;
        timestamp.stop()?;
        let content = Content {
            folders: vec![downloads.folder.clone(), page, built("element")?],
            reachable: downloads.revocation_origins.clone(),
        };
        let server = PageServer::start(content).map_err(file("the page's server"))?;
        Ok(Self { server, downloads, _revocation: revocation })
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The release.
    pub fn downloads(&self) -> &Downloads {
        &self.downloads
    }
}

/// A folder of `web/dist`, which `make` builds: `page`, `element`, `offline` or `verify`.
///
/// # Errors
/// [`ScenarioError::NoPage`].
pub fn built(what: &str) -> Result<PathBuf, ScenarioError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist").join(what);
    if folder.is_dir() { Ok(folder) } else { Err(ScenarioError::NoPage { page: folder }) }
}
