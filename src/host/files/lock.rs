//! A lock on a file that ends with its holder. Called by `drive::apply`, for the folder of runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{FileError, cannot, is_there, require_file};

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
        let mut file = options.map_err(cannot("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = owner_of(file);
                return Err(FileError::Locked { path: path.to_path_buf(), owner });
            }
            Err(TryLockError::Error(source)) => return Err(cannot("lock", path)(source)),
        }
        let note = |file: &mut File| -> io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(owner.as_bytes())
        };
        note(&mut file).map_err(cannot("write", path))?;
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
        let file = File::open(path).map_err(cannot("open", path))?;
        // Shared, and given back at once: asking must not keep anybody from taking it for long.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(owner_of(file))),
            Err(TryLockError::Error(source)) => Err(cannot("lock", path)(source)),
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_never_waited_for() {
        let device = Path::new("/dev/null");
        assert!(matches!(Lock::owner(device), Err(FileError::NoFile { .. })));
        assert!(matches!(Lock::take(device, "x"), Err(FileError::NoFile { .. })));
    }
}
