//! Files: journals that survive a crash, files written whole or not at all, locks, policy trees.
//!
//! Every error names the path. Called by `drive::apply` and `cli`. Nothing here knows what a file
//! means.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

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

fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_path_buf();
    move |source| FileError::Io { what, path, source }
}

/// Looks before a file is opened that somebody else may have put there.
fn require_file(path: &Path) -> Result<(), FileError> {
    let about = std::fs::metadata(path).map_err(io("read", path))?;
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
        let file = file.map_err(io("create", path))?;
        sync_folder(path)?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Opens the file to go on behind its first `keep` bytes; what lies behind them is cut off.
    ///
    /// # Errors
    /// When it is not there, shorter than `keep`, or cannot be cut.
    pub fn open(path: &Path, keep: u64) -> Result<Self, FileError> {
        require_file(path)?;
        let file = OpenOptions::new().append(true).open(path).map_err(io("open", path))?;
        let size = file.metadata().map_err(io("read", path))?.len();
        if size < keep {
            let source = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter");
            return Err(io("open", path)(source));
        }
        if size > keep {
            file.set_len(keep).map_err(io("shorten", path))?;
            file.sync_all().map_err(io("write", path))?;
        }
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Writes at the end and waits until it is on the disk.
    ///
    /// # Errors
    /// When that cannot be said; the end of the file is then unknown.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(io("write", &self.path))?;
        self.file.sync_data().map_err(io("write", &self.path))
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
        return Err(io("write", path)(source));
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
        Err(error) => Err(io("remove", path)(error)),
    }
}

/// Creates a folder and its parents.
///
/// # Errors
/// When one of them cannot be created.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(io("create", path))
}

/// A name in a folder is on the disk when the folder is.
fn sync_folder(path: &Path) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("write", folder))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// A lock that ends with its holder, however that ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock at `path` and writes into it who holds it.
    ///
    /// # Errors
    /// `Locked`, with what the holder wrote, when somebody else has it.
    pub fn take(path: &Path, owner: &str) -> Result<Self, FileError> {
        if path.exists() {
            require_file(path)?;
        }
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(io("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = owner_of(file);
                return Err(FileError::Locked { path: path.to_path_buf(), owner });
            }
            Err(TryLockError::Error(source)) => return Err(io("lock", path)(source)),
        }
        let note = |file: &mut File| -> io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(owner.as_bytes())
        };
        note(&mut file).map_err(io("write", path))?;
        Ok(Self { file })
    }

    /// What the holder wrote, when somebody holds the lock at `path`.
    ///
    /// # Errors
    /// When that cannot be asked.
    pub fn owner(path: &Path) -> Result<Option<String>, FileError> {
        if !is_there(path) {
            return Ok(None);
        }
        require_file(path)?;
        let file = File::open(path).map_err(io("open", path))?;
        // Shared, and given back at once: asking must not keep anybody from taking it for long.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(owner_of(file))),
            Err(TryLockError::Error(source)) => Err(io("lock", path)(source)),
        }
    }
}

/// Who it is helps people; without it the answer is the same.
fn owner_of(file: File) -> String {
    let mut owner = String::new();
    let _ = file.take(400).read_to_string(&mut owner);
    owner.trim().chars().filter(|c| !c.is_control()).collect()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The note is for people who find the lock taken; the lock itself ends with the file.
        let _ = self.file.set_len(0);
    }
}

/// Reads a file of at most `limit` bytes. What it is and its size are looked at before anything is
/// read, and no more than `limit` is read when it grows meanwhile.
///
/// # Errors
/// When it is no regular file, cannot be read or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    require_file(path)?;
    let file = File::open(path).map_err(io("read", path))?;
    let size = file.metadata().map_err(io("read", path))?.len();
    let too_large = |size| FileError::TooLarge { path: path.to_path_buf(), size, limit };
    if size > limit {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io("read", path))?;
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

/// Deepest folder that is looked into.
const DEEPEST: usize = 32;

/// Files below `path` whose extension is one of `extensions`, sorted; `path` itself when it is a
/// file. Hidden files and folders are passed over, links to folders are not followed.
///
/// # Errors
/// When a folder cannot be read or lies too deep.
pub fn find(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, FileError> {
    let about = std::fs::metadata(path).map_err(io("read", path))?;
    if about.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    walk(path, extensions, false)
}

/// As [`find`], below a folder in which nothing may be missed.
///
/// # Errors
/// As well when `path` is no folder, a link in it leads nowhere or to a folder, or what has such an
/// extension is no file.
pub fn find_all(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, FileError> {
    if !std::fs::metadata(path).map_err(io("read", path))?.is_dir() {
        let source = io::Error::new(io::ErrorKind::NotADirectory, "it is no folder");
        return Err(io("read", path)(source));
    }
    walk(path, extensions, true)
}

fn walk(path: &Path, extensions: &[&str], all: bool) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    let mut folders = vec![(path.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if depth > DEEPEST {
            return Err(FileError::TooDeep { path: folder, limit: DEEPEST });
        }
        for entry in std::fs::read_dir(&folder).map_err(io("read", &folder))? {
            let entry = entry.map_err(io("read", &folder))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(io("read", &path))?;
            if kind.is_dir() {
                folders.push((path, depth + 1));
                continue;
            }
            let wanted = has_extension(&path, extensions);
            if all && (wanted || kind.is_symlink()) && !is_file(&path)? {
                let source =
                    io::Error::other("it is no file, and links to folders are not followed");
                return Err(io("read", &path)(source));
            }
            if wanted && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_file(path: &Path) -> Result<bool, FileError> {
    Ok(std::fs::metadata(path).map_err(io("read", path))?.is_file())
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let Some(own) = path.extension() else { return false };
    extensions.iter().any(|wanted| own.eq_ignore_ascii_case(wanted))
}

/// Names of the folders in `path`, sorted; none when `path` is not there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn folders(path: &Path) -> Result<Vec<String>, FileError> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io("read", path)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io("read", path))?;
        if entry.file_type().map_err(io("read", path))?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
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
    fn a_lock_is_held_once_and_says_by_whom() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert_eq!(Lock::owner(&path).unwrap(), None);
        let held = Lock::take(&path, "run 1\u{1b}[31m").unwrap();
        assert_eq!(Lock::owner(&path).unwrap().as_deref(), Some("run 1[31m"));
        let error = Lock::take(&path, "run 2").unwrap_err();
        assert!(error.to_string().ends_with("is locked by run 1[31m"), "{error}");
        drop(held);
        assert_eq!(Lock::owner(&path).unwrap(), None);
        drop(Lock::take(&path, "run 2").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn trees_are_read_sorted_and_by_extension() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a/z.YML", "a/y.yml", "c.json", ".hidden/x.yaml", ".x.yaml"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let found = find(folder.path(), &["yaml", "yml"]).unwrap();
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, ["a/y.yml", "a/z.YML", "b.yaml"].map(Path::new));
        assert_eq!(find(&folder.path().join("c.json"), &["yaml"]).unwrap().len(), 1);
        assert_eq!(folders(folder.path()).unwrap(), [".hidden", "a"]);
        assert!(folders(&folder.path().join("none")).unwrap().is_empty());
        assert!(find(&folder.path().join("none"), &[]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn below_a_folder_in_which_nothing_may_be_missed_what_is_no_file_is_an_error() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("rules/x.rego")).unwrap();
        for name in ["rules/a.rego", "rules/B.REGO", "rules/x.rego/c.rego", "rules/d.txt"] {
            std::fs::write(path(name), "x").unwrap();
        }
        symlink(path("rules/a.rego"), path("rules/linked.rego")).unwrap();
        assert_eq!(find_all(&path("rules"), &["rego"]).unwrap().len(), 4);
        symlink(path("rules"), path("link")).unwrap();
        assert_eq!(find_all(&path("link"), &["rego"]).unwrap().len(), 4);
        for (name, target) in [("b.rego", "gone"), ("team", "gone"), ("more", "rules/x.rego")] {
            let link = path("rules").join(name);
            symlink(path(target), &link).unwrap();
            let error = find_all(&path("rules"), &["rego"]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            std::fs::remove_file(link).unwrap();
        }
        for name in ["rules/a.rego", "none"] {
            assert!(find_all(&path(name), &["rego"]).is_err(), "{name}");
        }
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
        assert!(matches!(Lock::owner(device), Err(FileError::NoFile { .. })));
        assert!(matches!(Lock::take(device, "x"), Err(FileError::NoFile { .. })));
        assert!(matches!(AppendFile::open(device, 0), Err(FileError::NoFile { .. })));
    }
}
