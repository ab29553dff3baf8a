//! Findings with the line they are about and a caret, for people.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diag::{Finding, Place, Severity};
use crate::policy::SourceText;
use crate::report::Style;
use crate::report::escape;

/// Longest line that is shown around a caret, in bytes: a file on one line is not a page.
const LINE_MAX: usize = 2_000;

/// One block for each finding, with an empty line between.
#[must_use]
pub fn text(findings: &[Finding], sources: &[SourceText], style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width).decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    let hidden: Vec<&Finding> = findings.iter().filter(|f| f.code.hides_source()).collect();
    for finding in findings {
        let groups = block(finding, sources, &hidden);
        out.push_str(&renderer.render(&groups));
        out.push_str("\n\n");
    }
    out
}

fn block<'a>(
    finding: &'a Finding,
    sources: &'a [SourceText],
    hidden: &[&Finding],
) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escape::terminal(&finding.message)).id(finding.code.word());
    let mut group = Group::with_title(title);
    group = at(group, finding, sources, hidden);
    for label in finding.labels.iter().filter(|label| label.file != finding.file) {
        let origin = Origin::path(&*label.file)
            .line(label.span.line as usize)
            .char_column(label.span.column as usize);
        group = group.element(origin).element(Level::NOTE.message(escape::terminal(&label.text)));
    }
    let help = finding.help.clone().unwrap_or_else(|| finding.code.help().to_owned());
    vec![group.element(Level::HELP.message(escape::terminal(&help)))]
}

/// The place with its line, when the text is at hand, the line is not absurdly long, and none of the
/// lines that would be shown holds a secret.
fn at<'a>(
    group: Group<'a>,
    finding: &'a Finding,
    sources: &'a [SourceText],
    hidden: &[&Finding],
) -> Group<'a> {
    let source = sources.iter().find(|source| source.file == finding.file);
    let window = source.and_then(|source| window(&source.text, finding));
    let window = window.filter(|(lines, first, _)| {
        let last = first + lines.matches('\n').count();
        let shows = |secret: &&&Finding| {
            let Place { line, end_line, .. } = secret.span;
            secret.file == finding.file && line as usize <= last && end_line as usize >= *first
        };
        !hidden.iter().any(|secret| shows(&secret))
    });
    let Some((lines, first, start)) = window else {
        let origin = Origin::path(&*finding.file)
            .line(finding.span.line as usize)
            .char_column(finding.span.column as usize);
        return group.element(origin);
    };
    let here = |place: &Place| {
        let clamp = |at: usize| at.saturating_sub(start).min(lines.len());
        clamp(place.start)..clamp(place.end).max(clamp(place.start))
    };
    let mut snippet = Snippet::source(escape_lines(lines))
        .line_start(first)
        .path(&*finding.file)
        .annotation(AnnotationKind::Primary.span(here(&finding.span)));
    for label in finding.labels.iter().filter(|label| label.file == finding.file) {
        if label.span.start >= start && label.span.end <= start + lines.len() {
            let kind = AnnotationKind::Context.span(here(&label.span));
            snippet = snippet.annotation(kind.label(escape::terminal(&label.text)));
        }
    }
    group.element(snippet)
}

/// The lines from the first to the last place of the finding in its file: text, number of the first
/// line, byte at which it starts.
fn window<'a>(text: &'a str, finding: &Finding) -> Option<(&'a str, usize, usize)> {
    let places = std::iter::once(&finding.span).chain(
        finding.labels.iter().filter(|label| label.file == finding.file).map(|label| &label.span),
    );
    let (mut low, mut high, mut line) = (finding.span.start, finding.span.end, finding.span.line);
    for place in places {
        // A far label would pull the whole file in; it is dropped rather than folded by hand.
        if place.line.abs_diff(finding.span.line) <= 400 {
            (low, high, line) = (low.min(place.start), high.max(place.end), line.min(place.line));
        }
    }
    let start = text.get(..low)?.rfind('\n').map_or(0, |newline| newline + 1);
    let start = if start == 0 && text.starts_with('\u{feff}') { 3.min(low) } else { start };
    let end = text.get(high..)?.find('\n').map_or(text.len(), |newline| high + newline);
    let lines = text.get(start..end)?;
    let longest = lines.lines().map(str::len).max().unwrap_or(0);
    (longest <= LINE_MAX).then_some((lines, line as usize, start))
}

/// Replaces hidden characters by one of the same length in bytes where there is one, so that spans
/// stay true; others become `?` repeated.
fn escape_lines(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len());
    for c in lines.chars() {
        if c == '\n' || c == '\t' || !escape::is_hidden(c) {
            out.push(c);
        } else {
            out.extend(std::iter::repeat_n(if c == '\r' { ' ' } else { '?' }, c.len_utf8()));
        }
    }
    out
}
