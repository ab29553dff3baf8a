//! Runs on disk: `<journal>/<run>/{plan.json,journal.jsonl}`, and one lock for the folder of runs.
//!
//! The plan is written before the journal begins, so that a journal never lacks its plan. Whoever
//! applies or resumes holds the lock; it ends with the process.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::apply::journal::run_id::{is_run_id, run_id};
use crate::apply::journal::{Chain, Journal as Read, JournalEntry, decode};
use crate::apply::past;
use crate::apply::{Engine, Entry, Options};
use crate::drive::apply::{ApplyError, Journal};
use crate::host::files::{self, AppendFile, FileError, Lock};
use crate::model::RunId;
use crate::plan::file::{self, CheckedPlan, VerifyContext};
use crate::plan::types::{Aim, Reason};
use crate::plan::{LastRun, LastSeen, Plan};
use crate::policy::Workspace;
use crate::policy::workspace::Tenant;

/// Largest journal that is read.
const JOURNAL_MAX: u64 = 1 << 30;

/// A journal on disk.
#[derive(Debug)]
pub struct Ledger {
    file: AppendFile,
    chain: Chain,
    id: RunId,
}

impl Journal for Ledger {
    fn append(&mut self, now: Timestamp, entries: Vec<Entry>) -> Result<(), ApplyError> {
        let mut bytes = Vec::new();
        for mut entry in entries {
            // Two runs of one plan have the same changes: the first line says which run this is.
            if let Entry::Started { run, .. } = &mut entry {
                *run = Some(self.id.to_string());
            }
            let (line, _) = self.chain.line(now, entry).map_err(ApplyError::Entry)?;
            bytes.extend(line);
        }
        // Blocks for the milliseconds that a disk takes; the engine waits for exactly this.
        self.file.append(&bytes).map_err(ApplyError::File)
    }
}

/// A run that is being carried out, with the lock held.
#[derive(Debug)]
pub struct OpenRun {
    /// Its name.
    pub id: RunId,
    /// Its folder.
    pub path: PathBuf,
    /// Its journal.
    pub ledger: Ledger,
    _lock: Lock,
}

/// The lock for a run that has not begun: nobody else begins one while it is looked whether this one may.
#[derive(Debug)]
pub struct Reserved {
    id: RunId,
    root: PathBuf,
    lock: Lock,
}

impl Reserved {
    /// Takes the lock for a new run of the plan, and makes nothing but the folder of runs.
    ///
    /// # Errors
    /// When somebody holds the lock or the folder cannot be made.
    pub fn new(root: &Path, plan: &Plan, now: Timestamp) -> Result<Self, ApplyError> {
        files::create_folder(root)?;
        loop {
            let id = free_id(root, plan, now);
            let lock = lock(root, &id)?;
            // Whoever held it until now may have taken the name.
            if free_id(root, plan, now) == id {
                return Ok(Self { id, root: root.to_owned(), lock });
            }
        }
    }

    /// Makes the run's folder, with its plan and an empty journal.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn begin(self, plan: &Plan) -> Result<OpenRun, ApplyError> {
        let Self { id, root, lock } = self;
        let path = root.join(id.as_str());
        files::create_folder(&path)?;
        files::write_atomic(&path.join("plan.json"), &file::to_bytes(plan))?;
        let file = AppendFile::create(&path.join("journal.jsonl"))?;
        let ledger = Ledger { file, chain: Chain::default(), id: id.clone() };
        Ok(OpenRun { id, path, ledger, _lock: lock })
    }
}

impl OpenRun {
    /// Takes the lock and makes the folder of a new run.
    ///
    /// # Errors
    /// When somebody holds the lock or a file cannot be written.
    pub fn create(root: &Path, plan: &Plan, now: Timestamp) -> Result<Self, ApplyError> {
        Reserved::new(root, plan, now)?.begin(plan)
    }

    /// Takes the lock and opens a run that was stopped or killed: the engine stands where its
    /// journal ends. A line that was cut off by the end is removed.
    ///
    /// The plan is held against the workspace, its policies and the clock once more: what was sent is
    /// settled in any case, and more is sent only when all of them still allow it.
    ///
    /// # Errors
    /// When there is no such run, its journal was changed, its plan is refused, or somebody holds
    /// the lock.
    pub fn resume(
        root: &Path,
        name: &str,
        against: &VerifyContext<'_>,
        options: Options,
        tool: &str,
    ) -> Result<(Self, CheckedPlan, Engine), ApplyError> {
        let id = find_run(root, name)?;
        let lock = lock(root, &id)?;
        let path = root.join(id.as_str());
        let journal_path = path.join("journal.jsonl");
        let plan = files::read(&path.join("plan.json"), file::FILE_MAX as u64)?;
        let plan = file::read(&plan)?;
        let (read, file) = if journal_path.exists() {
            let read = journal(&id, &files::read(&journal_path, JOURNAL_MAX)?)?;
            let file = AppendFile::open(&journal_path, read.valid)?;
            (read, file)
        } else {
            // Killed between the plan and the journal: nothing has been done.
            (journal(&id, b"")?, AppendFile::create(&journal_path)?)
        };
        is_of(&id, &read.entries)?;
        let mut begun = past::begun(&read.entries);
        if let Some(later) = undone_by(root, &id)? {
            let undone = Reason::new("run-undone").with("run", later.as_str());
            begun.withheld.get_or_insert(undone);
        }
        let plan = file::go_on(plan, against, begun)?;
        let engine = Engine::new(&plan, &read.entries, options, tool)?;
        let ledger = Ledger { file, chain: read.chain, id: id.clone() };
        Ok((Self { id, path, ledger, _lock: lock }, plan, engine))
    }
}

/// Refuses a journal that names another run; those of earlier versions name none.
fn is_of(id: &RunId, entries: &[JournalEntry]) -> Result<(), ApplyError> {
    match entries.first().map(|line| &line.entry) {
        Some(Entry::Started { run: Some(found), .. }) if found != id.as_str() => {
            let (run, found) = (id.to_string(), found.clone());
            Err(ApplyError::OtherRun { run, found })
        }
        _ => Ok(()),
    }
}

fn journal(id: &RunId, bytes: &[u8]) -> Result<Read, ApplyError> {
    decode(bytes).map_err(|source| ApplyError::Broken { run: id.to_string(), source })
}

fn lock(root: &Path, id: &RunId) -> Result<Lock, FileError> {
    Lock::take(&root.join("lock"), &format!("run {id}, process {}", std::process::id()))
}

/// Whether a process carries the run out now, as far as the lock of this folder tells.
///
/// # Errors
/// When the lock cannot be looked at.
pub fn is_active(root: &Path, id: &RunId) -> Result<bool, FileError> {
    let owner = Lock::owner(&root.join("lock"))?;
    Ok(owner.is_some_and(|owner| owner.starts_with(&format!("run {id},"))))
}

/// A name in a second of its own, so that names order runs as they began: two of them may begin in
/// the same second.
fn free_id(root: &Path, plan: &Plan, now: Timestamp) -> RunId {
    let names = run_names(root).unwrap_or_default();
    let second = |id: &RunId| id.as_str().split('-').next().map(str::to_owned);
    let taken: BTreeSet<Option<String>> = names.iter().map(second).collect();
    let mut at = now;
    loop {
        let id = run_id(at, &plan.plan_hash);
        if !taken.contains(&second(&id)) {
            return id;
        }
        at = at.checked_add(SignedDuration::from_secs(1)).unwrap_or(now);
    }
}

/// The run of that name, or the only one that begins or ends so; `last` is the newest.
///
/// # Errors
/// When there is none, or several.
pub fn find_run(root: &Path, name: &str) -> Result<RunId, ApplyError> {
    let names = run_names(root)?;
    if name == "last" {
        let last = names.into_iter().next_back();
        return last.ok_or_else(|| ApplyError::NoRun { run: name.to_owned() });
    }
    if let Some(exact) = names.iter().find(|id| id.as_str() == name) {
        return Ok(exact.clone());
    }
    let fits = |id: &&RunId| {
        !name.is_empty() && (id.as_str().starts_with(name) || id.as_str().ends_with(name))
    };
    let mut found = names.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id.clone()),
        (None, _) => Err(ApplyError::NoRun { run: name.to_owned() }),
        (Some(_), Some(_)) => Err(ApplyError::SeveralRuns { run: name.to_owned() }),
    }
}

fn run_names(root: &Path) -> Result<Vec<RunId>, FileError> {
    let names = files::folders(root)?;
    Ok(names.into_iter().filter(|name| is_run_id(name)).map(RunId::from).collect())
}

/// A run on disk.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub id: RunId,
    /// Its folder.
    pub path: PathBuf,
    /// Its entries, or why they cannot be read; one that has not begun has none.
    pub entries: Result<Vec<JournalEntry>, ApplyError>,
    /// Bytes of an incomplete last line.
    pub cut: u64,
    /// Whether there is a journal at all.
    pub has_journal: bool,
}

impl Found {
    /// Reads a run; a journal that cannot be read is part of what is found.
    #[must_use]
    pub fn open(root: &Path, id: RunId) -> Self {
        let path = root.join(id.as_str());
        let file = path.join("journal.jsonl");
        let has_journal = file.exists();
        let read = if has_journal {
            let bytes = files::read(&file, JOURNAL_MAX).map_err(ApplyError::File);
            bytes.and_then(|bytes| journal(&id, &bytes))
        } else {
            journal(&id, b"")
        };
        let cut = read.as_ref().map_or(0, |read| read.cut);
        Self { id, path, entries: read.map(|read| read.entries), cut, has_journal }
    }

    /// The plan of the run, as it was written.
    ///
    /// # Errors
    /// When it cannot be read or was edited.
    pub fn plan(&self) -> Result<Plan, ApplyError> {
        let bytes = files::read(&self.path.join("plan.json"), file::FILE_MAX as u64)?;
        Ok(file::read(&bytes)?)
    }
}

/// How many runs are looked through for one that can be compared with.
const LOOKED_THROUGH: usize = 50;

/// What the newest runs of the workspace saw of each of its tenants. A run that cannot be read, or
/// whose plan is not the one that its journal began with, is named and an older one is taken: whoever
/// tampers with it must not switch a guardrail off in silence. Runs that never began do not count.
#[must_use]
pub fn last_run(root: &Path, workspace: &Workspace) -> LastRun {
    let mut last = LastRun::default();
    let names = match run_names(root) {
        Ok(names) => names,
        Err(error) => {
            last.unreadable.insert("(all)".to_owned(), error.to_string());
            return last;
        }
    };
    for id in names.into_iter().rev().take(LOOKED_THROUGH) {
        let wanted = |tenant: &Tenant| !last.tenants.contains_key(&*tenant.tenant_id);
        if !workspace.tenants.iter().any(wanted) {
            break;
        }
        match begun(&Found::open(root, id.clone())) {
            // Cancelling looks at no policy: what it counts is no measure.
            Ok(Some(plan))
                if plan.workspace == workspace.id.as_str() && plan.purpose != Aim::Cancel =>
            {
                for section in &plan.tenants {
                    let seen = || LastSeen { run: id.to_string(), counts: plan.seen(section) };
                    last.tenants.entry(section.tenant_id.clone()).or_insert_with(seen);
                }
            }
            Ok(_) => {}
            Err(why) => drop(last.unreadable.insert(id.to_string(), why)),
        }
    }
    last
}

/// The first later run that undid something of a run.
fn undone_by(root: &Path, id: &RunId) -> Result<Option<RunId>, FileError> {
    let later = run_names(root)?.into_iter().filter(|name| name > id);
    let undid = |name: &RunId| {
        let run = Found::open(root, name.clone());
        let of_it = run.plan().is_ok_and(|plan| plan.undoes.as_deref() == Some(id.as_str()));
        let sent = |entries: &Vec<JournalEntry>| {
            entries.iter().any(|line| matches!(line.entry, Entry::Intent { .. }))
        };
        of_it && run.entries.as_ref().is_ok_and(sent)
    };
    Ok(later.into_iter().find(undid))
}

/// The plan of a run that began; or why the two cannot be trusted.
fn begun(run: &Found) -> Result<Option<Plan>, String> {
    let entries = run.entries.as_ref().map_err(ToString::to_string)?;
    let Some(JournalEntry { entry: Entry::Started { plan_hash, .. }, .. }) = entries.first() else {
        return Ok(None);
    };
    let plan = run.plan().map_err(|error| error.to_string())?;
    if plan.plan_hash == *plan_hash {
        Ok(Some(plan))
    } else {
        Err("its plan is not the one that its journal began with".to_owned())
    }
}

/// All runs, oldest first.
///
/// # Errors
/// When the folder is there and cannot be read.
pub fn runs(root: &Path) -> Result<Vec<Found>, FileError> {
    Ok(run_names(root)?.into_iter().map(|id| Found::open(root, id)).collect())
}
