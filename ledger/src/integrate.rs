//! Putting records onto tiles: from write-ahead files that are written to their end.
//!
//! The files that the present checkpoint needs stay as they are until the next checkpoint is on the
//! disk; what was written for a checkpoint that never came is overwritten. So this can be cut off
//! anywhere, and done again. It is done by one process at a time: the one that has the ledger open.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::leaf_hash;
use countersign_core::tlog::tile::{TILE_WIDTH, Tile, entries_path, partial_tiles, push_entry};

use crate::checkpoint::{self, CheckpointSigner};
use crate::fault::{Fault, Place, unreadable};
use crate::load::hold_against_frame;
use crate::medium::{FILE_MODE, FOLDER_MODE, flush_folder, open_file, read_whole, refuse_link};
use crate::reading::Tail;
use crate::record::Identity;
use crate::rows::Rows;
use crate::segment::{FOLDER, Segment, entries, read_frames};
use crate::snapshot::Snapshot;

/// So many files are written before they are flushed.
const MOST_UNFLUSHED: usize = 64;

/// Puts the records of `sealed`, in their order, onto tiles, publishes a checkpoint that covers them,
/// signed if there is a signer, and removes the files.
///
/// # Errors
/// Nothing was changed that a reader sees; the same can be tried again.
pub fn integrate(
    folder: &Path,
    identity: &Identity,
    sealed: &[Segment],
    signer: Option<&dyn CheckpointSigner>,
) -> Result<(), Fault> {
    let Some(snapshot) = Snapshot::take(folder)? else { return Ok(()) };
    let before = snapshot.on_tiles();
    let mut edge = Edge::of(folder, &snapshot)?;
    for segment in sealed {
        edge.segment(segment)?;
    }
    if edge.frontier.size() > before {
        edge.finish(&checkpoint::origin(identity), signer)?;
    }
    let in_folder = unreadable(folder);
    remove_partial(folder, before, edge.frontier.size()).map_err(&in_folder)?;
    for segment in sealed {
        remove(&segment.path).map_err(unreadable(&segment.path))?;
    }
    flush_folder(&folder.join(FOLDER)).map_err(in_folder)
}

/// The right edge of the tiles, growing.
struct Edge<'a> {
    folder: &'a Path,
    frontier: Frontier,
    /// The entries since the last full bundle.
    entries: Vec<u8>,
    rows: Rows,
    /// Files that are written and not flushed, and the folders in which they are.
    unflushed: Vec<File>,
    folders: BTreeSet<PathBuf>,
}

impl<'a> Edge<'a> {
    fn of(folder: &'a Path, snapshot: &Snapshot) -> Result<Self, Fault> {
        let size = snapshot.on_tiles();
        let frontier = snapshot.tree(folder).frontier(size)?;
        let rows = Rows::of(size, &snapshot.edge);
        let (unflushed, folders) = (Vec::new(), BTreeSet::new());
        let entries = snapshot.edge_entries.clone();
        Ok(Self { folder, frontier, entries, rows, unflushed, folders })
    }

    fn segment(&mut self, segment: &Segment) -> Result<(), Fault> {
        let place = Place::file(&segment.path);
        let file = match open_file(&segment.path) {
            // It was removed after the checkpoint that covers it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(|error| place.fault(error))?,
        };
        let on_tiles = self.frontier.size();
        read_frames(&place, &file, Tail::Followed, |frame| {
            if frame.size <= on_tiles {
                return Ok(());
            }
            for entry in entries(frame.entries) {
                let entry = entry.map_err(|what| place.fault(what))?;
                self.entry(entry).map_err(unreadable(self.folder))?;
            }
            hold_against_frame(&self.frontier, frame.size, frame.root, &place)
        })?;
        Ok(())
    }

    fn entry(&mut self, entry: &[u8]) -> io::Result<()> {
        if !push_entry(&mut self.entries, entry) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let index = self.frontier.size() / TILE_WIDTH;
        let leaf = leaf_hash(&AwsLc, entry);
        self.frontier.push(&AwsLc, leaf.clone());
        if self.frontier.size().is_multiple_of(TILE_WIDTH) {
            let entries = std::mem::take(&mut self.entries);
            self.write(&entries_path(index, TILE_WIDTH), &entries)?;
        }
        let mut rows = std::mem::take(&mut self.rows);
        let pushed = rows.push(&leaf, |full| self.write(&full.tile.path(), &full.octets));
        self.rows = rows;
        pushed
    }

    /// Writes what is partial, flushes everything, and publishes the checkpoint.
    fn finish(&mut self, origin: &str, signer: Option<&dyn CheckpointSigner>) -> Result<(), Fault> {
        let head = self.frontier.head(&AwsLc);
        let in_folder = unreadable(self.folder);
        for tile in partial_tiles(head.size) {
            let row = self.rows.row(tile.level).to_vec();
            self.write(&tile.path(), &row).map_err(&in_folder)?;
        }
        if !head.size.is_multiple_of(TILE_WIDTH) {
            let path = entries_path(head.size / TILE_WIDTH, head.size % TILE_WIDTH);
            let entries = std::mem::take(&mut self.entries);
            self.write(&path, &entries).map_err(&in_folder)?;
        }
        self.flush().map_err(&in_folder)?;
        let text = checkpoint::text(origin, &head);
        let signatures = signer.map(|signer| signer.sign(&text)).transpose().map_err(&in_folder)?;
        let note = signatures.map_or(text.clone(), |lines| format!("{text}\n{lines}"));
        publish(self.folder, &note).map_err(in_folder)
    }

    fn write(&mut self, path: &str, octets: &[u8]) -> io::Result<()> {
        let path = self.folder.join(path);
        let parent = path.parent().unwrap_or(self.folder);
        if !self.folders.contains(parent) {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(parent)?;
            // Those above it may be new as well.
            for above in parent.ancestors().take_while(|above| *above != self.folder) {
                refuse_link(above)?;
                self.folders.insert(above.to_owned());
            }
            self.folders.insert(self.folder.to_owned());
        }
        let there = read_whole(&path, octets.len()).ok().flatten();
        let file = if there.as_deref() == Some(octets) {
            // The present checkpoint may need it, and somebody may be reading it.
            open_file(&path)?
        } else {
            // In place of what may be there, never through a link to another file of the service's.
            remove(&path)?;
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(FILE_MODE).open(&path)?;
            file.write_all(octets)?;
            file
        };
        self.unflushed.push(file);
        if self.unflushed.len() >= MOST_UNFLUSHED { self.flush_files() } else { Ok(()) }
    }

    fn flush_files(&mut self) -> io::Result<()> {
        self.unflushed.drain(..).try_for_each(|file| file.sync_all())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_files()?;
        std::mem::take(&mut self.folders).iter().try_for_each(|folder| flush_folder(folder))
    }
}

fn publish(folder: &Path, note: &str) -> io::Result<()> {
    let path = folder.join(checkpoint::FILE);
    let temporary = path.with_extension("new");
    remove(&temporary)?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&temporary)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    flush_folder(folder)
}

/// Removes the partial tiles of the tree of `old` leaves that the one of `new` leaves does not have.
fn remove_partial(folder: &Path, old: u64, new: u64) -> io::Result<()> {
    let files = |size: u64| {
        let mut paths: Vec<String> = partial_tiles(size).iter().map(Tile::path).collect();
        if !size.is_multiple_of(TILE_WIDTH) {
            paths.push(entries_path(size / TILE_WIDTH, size % TILE_WIDTH));
        }
        paths
    };
    let needed = files(new);
    for path in files(old).into_iter().filter(|path| !needed.contains(path)) {
        let path = folder.join(path);
        remove(&path)?;
        // The folder of the partial ones is empty now, unless the next one is in it.
        let _ = path.parent().map(fs::remove_dir);
    }
    Ok(())
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
