//! Files of any size: opened, and hashed in constant memory with progress on a terminal.

use std::{
    fs::File,
    os::fd::AsFd,
    path::Path,
    time::{Duration, Instant},
};

use countersign_core::{
    Keep, Unnamed,
    bundle::BEGINNING_OCTETS,
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, StreamingDigest},
    limits,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    failure::{Failure, Outcome, path_text},
    read_ahead,
    session::Session,
    stream,
};

/// What is done before this is not worth a progress bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// An open file that is to be hashed.
#[derive(Debug)]
pub struct Artifact {
    name: Option<String>,
    unnamed: Unnamed,
    shown: String,
    file: File,
    size: Option<u64>,
}

/// What was learned of a file by reading it to its end.
#[derive(Debug)]
pub struct Contents {
    /// Digests, in the order asked for.
    pub digests: Vec<Digest>,
    /// The size in bytes.
    pub size: u64,
    /// Its first [`BEGINNING_OCTETS`] octets, or all that there are.
    pub beginning: Vec<u8>,
    /// All of it, if that was to be kept and was not too large.
    pub content: Option<Vec<u8>>,
}

impl Artifact {
    /// Opens a file, a pipe, or standard input for `-`.
    ///
    /// # Errors
    /// `setup.input.unreadable`, also for a folder; `setup.usage.invalid` if something else has
    /// taken standard input.
    pub fn open(path: &Path) -> Outcome<Self> {
        let unreadable = |error: std::io::Error| Failure::unreadable(path, error.to_string());
        if stream::is_standard_input(path) {
            let stdin = stream::standard_input()?;
            let file = stdin.as_fd().try_clone_to_owned().map_err(unreadable)?.into();
            // Somebody may have read a part of it, so its size would say nothing.
            let (name, unnamed) = (None, Unnamed::NotGiven);
            return Ok(Self { name, unnamed, shown: path_text(path), file, size: None });
        }
        stream::refuse_named_pipe(path)?;
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Failure::folder(path));
        }
        // Shown, all octets that are not UTF-8 look alike: such a name is none to compare.
        let name = path.file_name().unwrap_or_default().to_str().map(str::to_owned);
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self { name, unnamed: Unnamed::NotUnicode, shown: path_text(path), file, size })
    }

    /// Its name without folders; standard input has none, nor has a file whose name is not UTF-8.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Why it has no name, if it has none.
    pub fn unnamed(&self) -> Unnamed {
        self.unnamed
    }

    /// Its size in bytes; a pipe's is known when it was read.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Reads it to its end: digests, in the order asked for, and the size.
    ///
    /// # Errors
    /// `setup.input.unreadable`.
    pub fn hash(
        self,
        session: &Session,
        algorithms: &[HashAlgorithm],
    ) -> Outcome<(Vec<Digest>, u64)> {
        let Contents { digests, size, .. } = self.read(session, algorithms, Keep::Digests)?;
        Ok((digests, size))
    }

    /// Reads it to its end, once. A file that is too large to be kept is hashed all the same.
    ///
    /// # Errors
    /// `setup.input.unreadable`.
    pub fn read(
        self,
        session: &Session,
        algorithms: &[HashAlgorithm],
        keep: Keep,
    ) -> Outcome<Contents> {
        let mut hashes = StreamingDigest::new(&AwsLc, algorithms);
        let mut progress = Progress::new(session, &self.shown, self.size);
        let limit = limits::SIGNED_CONTENT_BYTES;
        let mut kept = match (keep, self.size) {
            (Keep::Content, Some(size)) if size > limit as u64 => None,
            (Keep::Content, _) => Some(Vec::new()),
            (Keep::Digests, _) => None,
        };
        let mut beginning = Vec::with_capacity(BEGINNING_OCTETS);
        read_ahead::for_each_block(self.file, |block| {
            hashes.update(block);
            let missing = BEGINNING_OCTETS - beginning.len();
            beginning.extend_from_slice(&block[..missing.min(block.len())]);
            kept = kept.take().filter(|kept| block.len() <= limit - kept.len());
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(block);
            }
            progress.advance(block.len() as u64);
        })
        .map_err(|error| Failure::unreadable(Path::new(&self.shown), error.to_string()))?;
        let (digests, size) = hashes.finish();
        Ok(Contents { digests, size, beginning, content: kept })
    }
}

/// A bar that appears when the work takes long enough to wonder.
struct Progress {
    bar: Option<ProgressBar>,
    done: u64,
    wanted: Option<(String, Option<u64>)>,
    since: Instant,
}

impl Progress {
    fn new(session: &Session, name: &str, size: Option<u64>) -> Self {
        let wanted = session.shows_progress().then(|| (name.to_owned(), size));
        Self { bar: None, done: 0, wanted, since: Instant::now() }
    }

    fn advance(&mut self, count: u64) {
        self.done += count;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if self.wanted.is_some() && self.since.elapsed() > PATIENCE {
            self.bar = self.wanted.take().map(|(name, size)| bar(&name, size, self.done));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str, size: Option<u64>, done: u64) -> ProgressBar {
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "Reading {msg}: {bytes} of {total_bytes}, {eta} left {wide_bar}",
        ),
        None => (ProgressBar::new_spinner(), "Reading {msg}: {bytes} {spinner}"),
    };
    // A template of ours that were wrong would only cost its looks.
    let style = ProgressStyle::with_template(template);
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(countersign_core::finding::quoted(name.to_owned()));
    bar.set_position(done);
    bar
}

/// A spinner on stderr while something outside is waited for; goes when dropped.
#[derive(Debug)]
pub struct Waiting(Option<ProgressBar>);

impl Waiting {
    /// Begins to show that `what` is waited for.
    pub fn begin(session: &Session, what: &str) -> Self {
        Self(session.shows_progress().then(|| {
            let spinner = ProgressBar::new_spinner();
            spinner.set_message(countersign_core::finding::quoted(what.to_owned()));
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        }))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(spinner) = &self.0 {
            spinner.finish_and_clear();
        }
    }
}
