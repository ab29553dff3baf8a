//! What lies in a folder: policies and rules by their extension, runs by their names. Called by `cli` and
//! `drive::apply`; what must not be missed is an error and never passed over.

use std::io;
use std::path::{Path, PathBuf};

use super::{FileError, cannot};

/// Deepest folder that is looked into.
const DEEPEST: usize = 32;

/// Files below `path` whose extension is one of `extensions`, sorted; `path` itself when it is a
/// file. Hidden files and folders are passed over, links to folders are not followed.
///
/// # Errors
/// When a folder cannot be read or lies too deep.
pub fn find(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, FileError> {
    let about = std::fs::metadata(path).map_err(cannot("read", path))?;
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
    if !std::fs::metadata(path).map_err(cannot("read", path))?.is_dir() {
        let source = io::Error::new(io::ErrorKind::NotADirectory, "it is no folder");
        return Err(cannot("read", path)(source));
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
        for entry in std::fs::read_dir(&folder).map_err(cannot("read", &folder))? {
            let entry = entry.map_err(cannot("read", &folder))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(cannot("read", &path))?;
            if kind.is_dir() {
                folders.push((path, depth + 1));
                continue;
            }
            let wanted = has_extension(&path, extensions);
            if all && (wanted || kind.is_symlink()) && !is_file(&path)? {
                let source =
                    io::Error::other("it is no file, and links to folders are not followed");
                return Err(cannot("read", &path)(source));
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
    Ok(std::fs::metadata(path).map_err(cannot("read", path))?.is_file())
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
        Err(error) => return Err(cannot("read", path)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(cannot("read", path))?;
        if entry.file_type().map_err(cannot("read", path))?.is_dir()
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
}
