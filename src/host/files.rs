//! Files: journals that survive a crash, files written whole or not at all; locks (`lock`), folders of
//! policies and runs (`tree`).
//!
//! Every error names the path. Called by `drive::apply` and `cli`. Nothing here knows what a file
//! means.

mod lock;
mod tree;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub use lock::Lock;
pub use tree::{find, find_all, folders};

/// What went wrong with which file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system says no.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// The verb for people: `read`, `write`, `create`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Larger than what is read of such a file.
    #[error("`{}` has {size} bytes, more than the {limit} that are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// What is read.
        limit: u64,
    },
    /// A folder, a pipe, a device: opening one may wait for good, and none has an end.
    #[error("`{}` is {}", path.display(), if *folder { "a folder" } else { "no regular file" })]
    NoFile {
        /// What has the file's name.
        path: PathBuf,
        /// Whether it is a folder.
        folder: bool,
    },
    /// Not text.
    #[error("`{}` is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// Folders inside folders without end.
    #[error("`{}` lies deeper than {limit} folders", path.display())]
    TooDeep {
        /// The folder.
        path: PathBuf,
        /// How deep is looked.
        limit: usize,
    },
    /// Somebody else holds the lock.
    #[error("`{}` is locked{}", path.display(), owner_words(owner))]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// What its owner wrote into it.
        owner: String,
    },
}

fn owner_words(owner: &str) -> String {
    if owner.is_empty() { String::new() } else { format!(" by {owner}") }
}

fn cannot(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_path_buf();
    move |source| FileError::Io { what, path, source }
}

/// Looks before a file is opened that somebody else may have put there.
fn require_file(path: &Path) -> Result<(), FileError> {
    let about = std::fs::metadata(path).map_err(cannot("read", path))?;
    if about.is_file() {
        return Ok(());
    }
    Err(FileError::NoFile { path: path.to_path_buf(), folder: about.is_dir() })
}

/// A file that only grows. What `append` returned for is on the disk.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    path: PathBuf,
}

impl AppendFile {
    /// Creates the file, which must not be there yet.
    ///
    /// # Errors
    /// When it is there or cannot be created.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let file = file.map_err(cannot("create", path))?;
        sync_folder(path)?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Opens the file to go on behind its first `keep` bytes; what lies behind them is cut off.
    ///
    /// # Errors
    /// When it is not there, shorter than `keep`, or cannot be cut.
    pub fn open(path: &Path, keep: u64) -> Result<Self, FileError> {
        require_file(path)?;
        let file = OpenOptions::new().append(true).open(path).map_err(cannot("open", path))?;
        let size = file.metadata().map_err(cannot("read", path))?.len();
        if size < keep {
            let source = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter");
            return Err(cannot("open", path)(source));
        }
        if size > keep {
            file.set_len(keep).map_err(cannot("shorten", path))?;
            file.sync_all().map_err(cannot("write", path))?;
        }
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Writes at the end and waits until it is on the disk.
    ///
    /// # Errors
    /// When that cannot be said; the end of the file is then unknown.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(cannot("write", &self.path))?;
        self.file.sync_data().map_err(cannot("write", &self.path))
    }
}

/// Writes a file whole or not at all: beside it first, synced, then renamed over it.
///
/// # Errors
/// When a step fails; the old file, if any, is then as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    if let Err(source) = write() {
        // The first error is the one to report; a leftover beside the file does no harm.
        let _ = std::fs::remove_file(&beside);
        return Err(cannot("write", path)(source));
    }
    sync_folder(path)
}

/// Whether something has this name. Only a clear `no` counts: what cannot be asked, and a link that
/// leads nowhere, is there.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    let about = std::fs::symlink_metadata(path);
    !about.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Removes a file; whether it was there.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove(path: &Path) -> Result<bool, FileError> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot("remove", path)(error)),
    }
}

/// Creates a folder and its parents.
///
/// # Errors
/// When one of them cannot be created.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(cannot("create", path))
}

/// A name in a folder is on the disk when the folder is.
fn sync_folder(path: &Path) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot("write", folder))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Reads a file of at most `limit` bytes. What it is and its size are looked at before anything is
/// read, and no more than `limit` is read when it grows meanwhile.
///
/// # Errors
/// When it is no regular file, cannot be read or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    require_file(path)?;
    let file = File::open(path).map_err(cannot("read", path))?;
    let size = file.metadata().map_err(cannot("read", path))?.len();
    let too_large = |size| FileError::TooLarge { path: path.to_path_buf(), size, limit };
    if size > limit {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot("read", path))?;
    let read = bytes.len() as u64;
    if read > limit { Err(too_large(read)) } else { Ok(bytes) }
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, is larger or is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes).map_err(|_| FileError::NotText { path: path.to_path_buf() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_goes_on_behind_what_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut file = AppendFile::create(&path).unwrap();
        file.append(b"one\n").unwrap();
        file.append(b"torn").unwrap();
        drop(file);
        assert!(AppendFile::create(&path).is_err());
        let mut file = AppendFile::open(&path, 4).unwrap();
        file.append(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        assert!(AppendFile::open(&path, 99).is_err());
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("no/such/plan.json");
        let error = write_atomic(&nowhere, b"x").unwrap_err();
        assert!(error.to_string().contains("plan.json"), "{error}");
    }

    #[test]
    fn what_is_too_large_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.yaml");
        let file = File::create(&path).unwrap();
        // Sparse: reading it would take minutes and the memory of a small machine.
        file.set_len(1 << 40).unwrap();
        assert!(matches!(read(&path, 1 << 20), Err(FileError::TooLarge { .. })));
        std::fs::write(&path, b"\xff").unwrap();
        assert!(matches!(read_text(&path, 10), Err(FileError::NotText { .. })));
        std::fs::write(&path, b"ok").unwrap();
        assert_eq!(read_text(&path, 2).unwrap(), "ok");
        let error = read(folder.path(), 2).unwrap_err();
        assert!(error.to_string().ends_with("is a folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_never_waited_for() {
        // Reading a terminal or a pipe without a writer never ends; this device would, at once.
        let device = Path::new("/dev/null");
        assert!(matches!(read(device, 9), Err(FileError::NoFile { folder: false, .. })));
        assert!(matches!(AppendFile::open(device, 0), Err(FileError::NoFile { .. })));
    }
}
