//! Finding a workspace and reading its files.
//!
//! `-C DIR` names the folder; without it, it is the current folder or the nearest parent that has a
//! `palisade.yaml`. Files are read here and nowhere else; what they mean is decided by `policy`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::context::{Context, shown};
use crate::cli::error::{CliError, Doing as _, Result};
use crate::cli::exit::Exit;
use crate::diag::{Code, Finding, Place};
use crate::host::files::{self, FileError};
use crate::policy::{self, Loaded, PolicySet, SourceText, Workspace};

/// Name of the workspace file.
pub const FILE: &str = "palisade.yaml";
/// Folder of the organization's rules.
const RULES: &str = "guardrails";
/// Advice when files of policies cannot be read.
const LISTED: &str = "`policies` in `palisade.yaml` lists what is read: create it, make it readable, or correct the list";
const NAMED: &str = "name files, or folders with files, that are there and may be read";
const UNREAD: &str = "make it readable for whoever runs Palisade, or remove it";
const UNREAD_RULES: &str = "`guardrails` is a folder of rules: make what is in it readable, or remove it; no rule is passed over";

/// Everything a workspace's files say.
#[derive(Debug)]
pub struct Project {
    /// Folder of `palisade.yaml`.
    pub root: PathBuf,
    /// The workspace; none when its file has errors.
    pub workspace: Option<Workspace>,
    /// The policies; none when a finding is an error.
    pub set: Option<PolicySet>,
    /// Every file that was read.
    pub sources: Vec<SourceText>,
    /// Every problem, workspace file first.
    pub findings: Vec<Finding>,
    /// Policy documents in all files.
    pub documents: usize,
}

/// The folder of the workspace.
///
/// # Errors
/// When there is none.
pub fn locate(context: &Context) -> Result<PathBuf> {
    if let Some(dir) = &context.global.dir {
        if dir.join(FILE).is_file() {
            return Ok(dir.clone());
        }
        return Err(CliError::new(format!("`{}` has no `{FILE}`", shown(dir)))
            .help(format!("create a workspace there with `palisade init {}`", shown(dir))));
    }
    let here = std::env::current_dir().doing("cannot tell the current folder")?;
    match here.ancestors().find(|folder| folder.join(FILE).is_file()) {
        Some(root) => Ok(root.to_path_buf()),
        None => Err(CliError::new(format!("no `{FILE}` here or in any folder above"))
            .help("create a workspace with `palisade init`, or name one with `-C DIR`")),
    }
}

/// Reads the workspace and its policies, with every problem.
///
/// # Errors
/// When there is no workspace or a file cannot be read.
pub fn open(context: &Context, now: Timestamp) -> Result<Project> {
    let root = locate(context)?;
    read(&root, None, now)
}

/// Reads the workspace in `root`; `only` names files and folders to read instead of its policies.
///
/// # Errors
/// When a file cannot be read.
pub fn read(root: &Path, only: Option<&[PathBuf]>, now: Timestamp) -> Result<Project> {
    let mut reader = Reader { root, sources: Vec::new(), findings: Vec::new() };
    let mut workspace = None;
    if let Some(source) = reader.source(&root.join(FILE))? {
        let (found, findings) = policy::load_workspace(&source, root);
        workspace = found;
        reader.findings.extend(findings);
        reader.sources.push(source);
    }
    let folders: Vec<PathBuf> = match (only, &workspace) {
        (Some(only), _) => only.to_vec(),
        (None, Some(workspace)) => workspace.policies.iter().map(|path| root.join(path)).collect(),
        // The workspace's own problems hide where its policies are; the usual place is a good guess.
        (None, None) => {
            Some(root.join("policies")).into_iter().filter(|path| path.exists()).collect()
        }
    };
    let help = if only.is_none() { LISTED } else { NAMED };
    let mut policies = reader.policies(&folders, help)?;
    if only.is_none() {
        policies.extend(reader.rules()?);
    }
    let loaded = policy::load(workspace.as_ref(), &policies, now);
    Ok(reader.finish(workspace, policies, loaded))
}

/// The workspace without its policies: some things are done whatever policies say today.
///
/// # Errors
/// When there is no workspace or its file has errors.
pub fn without_policies(context: &mut Context) -> Result<Workspace> {
    let root = locate(context)?;
    let project = read(&root, Some(&[]), context.clock.now())?;
    let (workspace, _) = project.usable(context)?;
    Ok(workspace.clone())
}

/// Reads policy files without a workspace.
///
/// # Errors
/// When a file cannot be read.
pub fn read_loose(paths: &[PathBuf], now: Timestamp) -> Result<Project> {
    let here = std::env::current_dir().doing("cannot tell the current folder")?;
    let mut reader = Reader { root: &here, sources: Vec::new(), findings: Vec::new() };
    let policies = reader.policies(paths, NAMED)?;
    let loaded = policy::load(None, &policies, now);
    Ok(reader.finish(None, policies, loaded))
}

struct Reader<'a> {
    root: &'a Path,
    sources: Vec<SourceText>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    /// Policy files below the paths, each once, in the order of their names.
    fn policies(&mut self, paths: &[PathBuf], help: &str) -> Result<Vec<SourceText>> {
        let mut found = Vec::new();
        for path in paths {
            let files = files::find(path, &["yaml", "yml"]);
            found.extend(files.map_err(|error| CliError::from(error).help(help))?);
        }
        found.sort();
        found.dedup();
        found.retain(|path| !is_other(path));
        let mut policies = Vec::with_capacity(found.len());
        for path in found {
            policies.extend(self.source(&path)?);
        }
        Ok(policies)
    }

    /// Rules of the organization, but not their tests.
    fn rules(&mut self) -> Result<Vec<SourceText>> {
        let folder = self.root.join(RULES);
        // Only a folder that is not there holds no rule: what is there and cannot be read may hold one.
        if !files::is_there(&folder) {
            return Ok(Vec::new());
        }
        let found = files::find_all(&folder, &["rego"]);
        let mut found = found.map_err(|error| CliError::from(error).help(UNREAD_RULES))?;
        found.retain(|path| {
            !path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"))
        });
        let mut rules = Vec::with_capacity(found.len());
        for path in found {
            rules.extend(self.source(&path)?);
        }
        Ok(rules)
    }

    /// A file's text. One that is too large or no text is a finding, not the end.
    fn source(&mut self, path: &Path) -> Result<Option<SourceText>> {
        let file: Arc<str> = self.name(path).into();
        let limit = u64::try_from(policy::FILE_MAX).unwrap_or(u64::MAX);
        match files::read_text(path, limit) {
            Ok(text) => Ok(Some(SourceText { file, text: text.into() })),
            Err(error @ FileError::TooLarge { .. }) => {
                self.refuse(Code::FileTooLarge, &file, &error);
                Ok(None)
            }
            Err(error @ FileError::NotText { .. }) => {
                let is_rule = policy::rego::is_rule_file(&file);
                let code = if is_rule { Code::RegoInvalid } else { Code::YamlSyntax };
                self.refuse(code, &file, &error);
                Ok(None)
            }
            Err(error) => Err(CliError::from(error).help(UNREAD)),
        }
    }

    fn refuse(&mut self, code: Code, file: &Arc<str>, error: &FileError) {
        self.findings.push(Finding::new(code, file, Place::start_of_file(), error.to_string()));
        self.sources.push(SourceText { file: Arc::clone(file), text: "".into() });
    }

    /// The path relative to the workspace, with `/` on every platform.
    fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(self.root).unwrap_or(path);
        let parts: Vec<String> = relative
            .components()
            .filter(|part| !matches!(part, std::path::Component::CurDir))
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        parts.join("/").replace("//", "/")
    }

    fn finish(
        self,
        workspace: Option<Workspace>,
        policies: Vec<SourceText>,
        loaded: Loaded,
    ) -> Project {
        let Self { root, mut sources, mut findings } = self;
        sources.extend(policies);
        let refused = findings.iter().any(Finding::is_error);
        findings.extend(loaded.findings);
        Project {
            root: root.to_path_buf(),
            workspace,
            set: loaded.set.filter(|_| !refused),
            sources,
            findings,
            documents: loaded.documents,
        }
    }
}

/// Files beside policies that are none: the workspace file, and tests of policies.
fn is_other(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name == FILE || name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

impl Project {
    /// The workspace and its policies when they can be used; otherwise every problem goes to
    /// stderr and the command ends.
    ///
    /// # Errors
    /// When a finding is an error.
    pub fn usable(&self, context: &mut Context) -> Result<(&Workspace, &PolicySet)> {
        let errors = self.findings.iter().filter(|finding| finding.is_error()).count();
        if !self.findings.is_empty() {
            let text = crate::cli::findings::text(self, context.style_err());
            context.note(&text);
        }
        match (&self.workspace, &self.set) {
            (Some(workspace), Some(set)) if errors == 0 => Ok((workspace, set)),
            _ => Err(CliError::said(Exit::Error)),
        }
    }
}
