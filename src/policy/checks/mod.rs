//! The meaning of documents: trees to typed policies, with every problem at its place.
//!
//! One file per kind or rule. A check that meets a value of the wrong shape says nothing and yields
//! nothing: `policy::shape` has said it already. Everything else goes on after a problem, so that all
//! of them come back at once. Nothing here reads a file, a clock or an inventory; `now` is an
//! argument.

pub(crate) mod alert;
mod comment;
mod contain;
mod contradiction;
pub(crate) mod device;
mod exempt;
mod expr;
mod facts;
mod header;
mod leaf;
mod overlap;
mod platform;
mod rollout;
mod rule;
mod scan;
mod terms;
pub(crate) mod workspace;

use std::sync::Arc;

use jiff::Timestamp;

use crate::diag::{Code, Finding, Place};
use crate::policy::set::{
    AlertRule, Exemption, Header, IsolationPolicy, PolicyKind, RestrictionPolicy, ScanPolicy,
};
use crate::policy::workspace::Workspace;
use crate::policy::yaml::Node;

pub(crate) use header::kind_of;
pub(crate) use overlap::{RuleFacts, overlaps};

/// What a check needs besides the tree, and where it reports.
#[derive(Debug)]
pub(crate) struct Cx<'c> {
    /// The file, relative to the workspace.
    pub(crate) file: &'c Arc<str>,
    /// The present.
    pub(crate) now: Timestamp,
    /// The workspace, when the policies belong to one.
    pub(crate) workspace: Option<&'c Workspace>,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
}

impl<'c> Cx<'c> {
    pub(crate) fn new(
        file: &'c Arc<str>,
        now: Timestamp,
        workspace: Option<&'c Workspace>,
    ) -> Self {
        Self { file, now, workspace, findings: Vec::new() }
    }

    /// Reports and yields nothing, so that a check can end with it.
    pub(crate) fn report<T>(
        &mut self,
        code: Code,
        place: &Place,
        message: impl Into<String>,
    ) -> Option<T> {
        self.findings.push(Finding::new(code, self.file, place.clone(), message));
        None
    }

    /// Reports with advice of its own.
    pub(crate) fn advise<T>(
        &mut self,
        code: Code,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.findings.push(Finding::new(code, self.file, place.clone(), message).help(help));
        None
    }
}

/// A document that means something.
#[derive(Debug)]
pub(crate) enum Checked {
    Isolation(IsolationPolicy),
    Restriction(RestrictionPolicy),
    Scan(ScanPolicy),
    Rule(AlertRule, RuleFacts),
    Exemption(Exemption),
}

/// Reads the `spec` of a document whose kind and header are known.
pub(crate) fn spec(cx: &mut Cx<'_>, root: &Node, header: Header) -> Option<Checked> {
    let entry = root.entry("spec")?;
    if !matches!(entry.value.content, crate::policy::yaml::Content::Map(_)) {
        return None;
    }
    match header.kind {
        PolicyKind::IsolationSet => contain::isolation(cx, entry, header).map(Checked::Isolation),
        PolicyKind::CodeExecutionRestriction => {
            contain::restriction(cx, entry, header).map(Checked::Restriction)
        }
        PolicyKind::ScanSchedule => scan::schedule(cx, entry, header).map(Checked::Scan),
        PolicyKind::AlertRule => {
            rule::rule(cx, entry, header).map(|(rule, facts)| Checked::Rule(rule, facts))
        }
        PolicyKind::Exemption => exempt::exemption(cx, entry, header).map(Checked::Exemption),
    }
}

/// Reads kind and metadata of a document; reports what is wrong with them.
pub(crate) fn header(cx: &mut Cx<'_>, root: &Node, kind: PolicyKind) -> Option<Header> {
    header::header(cx, root, kind)
}
