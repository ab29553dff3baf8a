//! Text to `PolicySet` and `Workspace`, with every problem of every file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::diag::{self, Code, Finding, Place};
use crate::policy::checks::{self, Checked, Cx, RuleFacts};
use crate::policy::digest::{Part, Sources};
use crate::policy::set::PolicyKind;
use crate::policy::yaml::{self, FINDINGS_MAX, Node};
use crate::policy::{PolicySet, Workspace, rego, shape};

/// Largest file that is read, in bytes. Whoever reads files checks the size first, so that a huge
/// one is refused without being read; `load` checks again.
pub const FILE_MAX: usize = 4 * 1024 * 1024;

/// One file as it was read.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Path relative to the workspace, with `/` on every platform.
    pub file: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

/// What loading found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The policies; none when a finding is an error.
    pub set: Option<PolicySet>,
    /// Every problem, in the order of files and places.
    pub findings: Vec<Finding>,
    /// How many documents the files hold.
    pub documents: usize,
}

/// Reads and checks policies, and the rules among the files (`*.rego`). `now` decides what has passed or expired.
#[must_use]
pub fn load(workspace: Option<&Workspace>, files: &[SourceText], now: Timestamp) -> Loaded {
    let mut sorted: Vec<&SourceText> = files.iter().collect();
    sorted.sort_by(|a, b| a.file.cmp(&b.file));
    let mut gathered = Gathered::default();
    if let Some(Workspace { file, digest, .. }) = workspace {
        gathered.sources.add(file, digest.clone());
    }
    for source in sorted {
        if rego::is_rule_file(&source.file) {
            gathered.rule(source);
        } else {
            gathered.file(source, workspace, now);
        }
    }
    gathered.finish()
}

/// What the files have given so far.
#[derive(Default)]
struct Gathered {
    findings: Vec<Finding>,
    documents: usize,
    set: PolicySet,
    rules: Vec<RuleFacts>,
    names: BTreeMap<(PolicyKind, String), (Arc<str>, Place)>,
    sources: Sources,
}

impl Gathered {
    fn file(&mut self, source: &SourceText, workspace: Option<&Workspace>, now: Timestamp) {
        let SourceText { file, text } = source;
        let mut findings = Vec::new();
        if let Some(finding) = too_large(source) {
            self.findings.push(finding);
            return;
        }
        let parsed = yaml::parse(file, text);
        findings.extend(parsed.findings);
        self.documents += parsed.documents.len();
        for root in &parsed.documents {
            let mut cx = Cx::new(file, now, workspace);
            let shapes = self.document(&mut cx, root);
            findings.extend(join(text, shapes, cx.findings));
        }
        self.findings.append(&mut limited(findings, file));
    }

    fn rule(&mut self, source: &SourceText) {
        match too_large(source) {
            Some(finding) => self.findings.push(finding),
            None => {
                self.sources.add(&source.file, Part::Rule.digest(&source.text));
                self.set.rules.push(source.clone());
            }
        }
    }

    /// Checks one document; returns what its schemas say.
    fn document(&mut self, cx: &mut Cx<'_>, root: &Node) -> Vec<Finding> {
        let mut shapes = shape::envelope(cx.file, root);
        let Some(kind) = checks::kind_of(cx, root) else { return shapes };
        shapes.extend(shape::spec(cx.file, root, kind));
        let Some(header) = checks::header(cx, root, kind) else { return shapes };
        self.name(cx, root, kind, header.name.as_str());
        self.sources.add(cx.file, Part::Document.digest(&root.to_json().to_string()));
        match checks::spec(cx, root, header) {
            Some(Checked::Isolation(policy)) => self.set.isolation.push(policy),
            Some(Checked::Restriction(policy)) => self.set.restriction.push(policy),
            Some(Checked::Scan(policy)) => self.set.scans.push(policy),
            Some(Checked::Rule(rule, facts)) => {
                self.set.alert_rules.push(rule);
                self.rules.push(facts);
            }
            Some(Checked::Exemption(policy)) => self.set.exemptions.push(policy),
            None => {}
        }
        shapes
    }

    /// Names are unique per kind over all files.
    fn name(&mut self, cx: &mut Cx<'_>, root: &Node, kind: PolicyKind, name: &str) {
        let node = root.get("metadata").and_then(|metadata| metadata.get("name"));
        let place = node.map_or_else(Place::start_of_file, |node| node.place.clone());
        let key = (kind, name.to_owned());
        if let Some((file, first)) = self.names.get(&key) {
            let called = format!("{} {}", kind.word(), diag::words::quote(name));
            let message = format!("{called} stands twice");
            let finding = Finding::new(Code::DuplicateName, cx.file, place, message).label(
                file,
                first.clone(),
                "the first one",
            );
            cx.findings.push(finding);
        } else {
            self.names.insert(key, (Arc::clone(cx.file), place));
        }
    }

    fn finish(mut self) -> Loaded {
        self.findings.extend(checks::overlaps(&self.rules));
        self.findings.extend(rego::check(&self.set.rules));
        diag::sort(&mut self.findings);
        let usable = !self.findings.iter().any(Finding::is_error);
        let set = usable.then(|| {
            let mut set = self.set;
            set.isolation.sort_by(|a, b| a.header.name.cmp(&b.header.name));
            set.restriction.sort_by(|a, b| a.header.name.cmp(&b.header.name));
            set.scans.sort_by(|a, b| a.header.name.cmp(&b.header.name));
            set.exemptions.sort_by(|a, b| a.header.name.cmp(&b.header.name));
            set.alert_rules
                .sort_by(|a, b| (a.priority, &a.header.name).cmp(&(b.priority, &b.header.name)));
            (set.digest, set.files) = self.sources.finish();
            set
        });
        Loaded { set, findings: self.findings, documents: self.documents }
    }
}

fn too_large(source: &SourceText) -> Option<Finding> {
    let size = source.text.len();
    (size > FILE_MAX).then(|| {
        let message = format!("the file has {size} bytes, at most {FILE_MAX} are read");
        Finding::new(Code::FileTooLarge, &source.file, Place::start_of_file(), message)
    })
}

/// What the checks say, and what the schemas say about places of which the checks say nothing.
fn join(text: &str, shapes: Vec<Finding>, mut checks: Vec<Finding>) -> Vec<Finding> {
    // What is missing lies at the key that lacks it, where something else may be wrong as well.
    let said = |shape: &Finding| {
        shape.code != Code::MissingKey
            && checks.iter().any(|check| is_same_place(text, &check.span, &shape.span))
    };
    let more: Vec<Finding> = shapes.into_iter().filter(|shape| !said(shape)).collect();
    checks.extend(more);
    checks
}

/// Whether two places overlap, or one is the key of the other.
fn is_same_place(text: &str, a: &Place, b: &Place) -> bool {
    let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
    if second.start < first.end || first.start == second.start {
        return true;
    }
    let between = text.get(first.end..second.start).unwrap_or(" - ");
    between.trim() == ":" && !between.contains('\n')
}

fn limited(mut findings: Vec<Finding>, file: &Arc<str>) -> Vec<Finding> {
    diag::sort(&mut findings);
    let is_cut = findings.iter().any(|finding| finding.code == Code::TooManyFindings);
    if findings.len() > FINDINGS_MAX && !is_cut {
        let more = findings.len() - FINDINGS_MAX;
        findings.truncate(FINDINGS_MAX);
        let place = findings.last().map_or_else(Place::start_of_file, |last| last.span.clone());
        let message = format!("{more} more problems are not shown");
        findings.push(Finding::new(Code::TooManyFindings, file, place, message));
    }
    findings
}

/// Reads and checks `palisade.yaml`; `root` is its folder.
#[must_use]
pub fn load_workspace(file: &SourceText, root: &Path) -> (Option<Workspace>, Vec<Finding>) {
    if let Some(finding) = too_large(file) {
        return (None, vec![finding]);
    }
    let mut parsed = yaml::parse(&file.file, &file.text);
    let mut findings = std::mem::take(&mut parsed.findings);
    let mut documents = parsed.documents.iter();
    let Some(document) = documents.next() else {
        if findings.is_empty() {
            let message = "the workspace file is empty";
            findings.push(Finding::new(
                Code::MissingKey,
                &file.file,
                Place::start_of_file(),
                message,
            ));
        }
        return (None, findings);
    };
    if let Some(second) = documents.next() {
        let message = "the workspace file holds a second document";
        let finding = Finding::new(Code::WrongType, &file.file, second.place.clone(), message);
        findings.push(
            finding.help("policies stand in files of their own, in the folders of `policies`"),
        );
    }
    // Nothing of a workspace depends on the present but expiries inside selectors, which it has not.
    let mut cx = Cx::new(&file.file, Timestamp::UNIX_EPOCH, None);
    let mut workspace = checks::workspace::workspace(&mut cx, document, root);
    if let Some(workspace) = &mut workspace {
        workspace.file = Arc::clone(&file.file);
        workspace.digest = Part::Workspace.digest(&document.to_json().to_string());
    }
    findings.extend(join(&file.text, shape::workspace(&file.file, document), cx.findings));
    let mut findings = limited(findings, &file.file);
    diag::sort(&mut findings);
    let usable = !findings.iter().any(Finding::is_error);
    (workspace.filter(|_| usable), findings)
}

#[cfg(test)]
mod tests;
