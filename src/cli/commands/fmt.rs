//! `palisade fmt`: the layout of policy files. Comments, quotes and the order of keys stay.

use std::path::PathBuf;

use similar::{ChangeTag, TextDiff};

use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::workspace::{self, Project};
use crate::host::files;
use crate::policy::{self, SourceText, layout};
use crate::report::page::{Page, Role, piece};
use crate::report::{Style, escape};

/// Lay out policy files: two spaces a level, no trailing space, one blank line at most.
///
/// Only the layout changes. Every file is read again before it is written: when its meaning would
/// be another, only its line ends and its trailing space are put right.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade fmt\n  palisade fmt --check    # in a pipeline: ends with 1 when a file is not laid out\n  palisade fmt --diff policies/case.yaml"
)]
pub struct Fmt {
    /// Files or folders [default: the workspace file and its policies].
    #[arg(value_name = "PATHS")]
    pub paths: Vec<PathBuf>,
    /// Write nothing; name the files that would change and end with 1.
    #[arg(long)]
    pub check: bool,
    /// Write nothing; show what would change.
    #[arg(long)]
    pub diff: bool,
}

impl Fmt {
    /// Lays out, or shows what would change.
    ///
    /// # Errors
    /// When a file has errors, cannot be read or cannot be written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let project = self.project(context)?;
        if project.findings.iter().any(crate::diag::Finding::is_error) {
            let text = crate::cli::findings::text(&project, context.style_err());
            context.note(&text);
            return Err(CliError::said(Exit::Error));
        }
        let mut changed = 0_usize;
        let is_policy = |source: &&SourceText| !policy::rego::is_rule_file(&source.file);
        for source in project.sources.iter().filter(is_policy) {
            let laid = laid_out(&project, source, context);
            if laid == *source.text {
                continue;
            }
            changed += 1;
            let text = if self.diff {
                diff(source, &laid, context.style())
            } else {
                format!("{}\n", escape::terminal(&source.file))
            };
            context.data(&text)?;
            if !self.check && !self.diff {
                files::write_atomic(&project.root.join(&*source.file), laid.as_bytes())?;
            }
        }
        Ok(if self.check && changed > 0 { Exit::Error } else { Exit::Done })
    }

    fn project(&self, context: &Context) -> Result<Project> {
        let now = context.clock.now();
        if self.paths.is_empty() {
            return workspace::open(context, now);
        }
        match workspace::locate(context) {
            Ok(root) => {
                let mut project = workspace::read(&root, Some(&self.paths), now)?;
                project.sources.retain(|source| &*source.file != workspace::FILE);
                Ok(project)
            }
            Err(_) if context.global.dir.is_none() => workspace::read_loose(&self.paths, now),
            Err(error) => Err(error),
        }
    }
}

/// The best layout that means the same.
fn laid_out(project: &Project, source: &SourceText, context: &Context) -> String {
    let tries = [layout::lay_out(&source.text), layout::trim(&source.text)];
    let before = meaning(project, source, context);
    let fits = |text: &String| {
        let changed = SourceText { file: source.file.clone(), text: text.as_str().into() };
        before.is_some() && meaning(project, &changed, context) == before
    };
    tries.into_iter().find(fits).unwrap_or_else(|| source.text.to_string())
}

/// What a file says by itself, without its places; nothing when it cannot be used.
fn meaning(project: &Project, source: &SourceText, context: &Context) -> Option<String> {
    if &*source.file == workspace::FILE {
        let (workspace, findings) = policy::load_workspace(source, &project.root);
        let sound = !findings.iter().any(crate::diag::Finding::is_error);
        return workspace.filter(|_| sound).map(|workspace| format!("{workspace:?}"));
    }
    let now = context.clock.now();
    let files = std::slice::from_ref(source);
    let loaded = policy::load(project.workspace.as_ref(), files, now);
    loaded.set.map(|set| format!("{} {}", loaded.documents, set.digest))
}

fn diff(source: &SourceText, laid: &str, style: Style) -> String {
    let mut page = Page::new(Style { width: usize::MAX / 4, ..style });
    let file = escape::terminal(&source.file);
    page.line(0, &[piece(Role::Strong, format!("--- {file}"))]);
    page.line(0, &[piece(Role::Strong, format!("+++ {file} laid out"))]);
    let diff = TextDiff::from_lines(&*source.text, laid);
    for group in diff.grouped_ops(3) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, role) = match change.tag() {
                ChangeTag::Delete => ('-', Role::Danger),
                ChangeTag::Insert => ('+', Role::Good),
                ChangeTag::Equal => (' ', Role::Plain),
            };
            let text = escape::terminal(change.value().trim_end_matches('\n'));
            page.line(0, &[piece(role, format!("{sign}{text}").replace(' ', "\u{a0}"))]);
        }
    }
    page.finish()
}
