//! Parser events to trees, document by document; after a syntax error the next document is read.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, options};

use crate::diag::{Code, Finding, Place, words};
use crate::policy::yaml::{Content, Entry, Node, scalar};

/// Deepest nesting. A selector of any use needs ten levels.
const DEPTH_MAX: usize = 32;
/// Findings after which a file is not read further: nobody reads on, and a hostile file ends here.
pub const FINDINGS_MAX: usize = 500;
/// Nesting the parser itself accepts; above ours, so that our finding comes first.
const PARSER_DEPTH: usize = 64;

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Roots of the documents that could be read; empty ones are left out.
    pub documents: Vec<Node>,
    /// What was refused.
    pub findings: Vec<Finding>,
}

/// Reads all documents of a text.
#[must_use]
pub fn parse(file: &Arc<str>, text: &str) -> Parsed {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: PARSER_DEPTH,
        block_nesting_limit: PARSER_DEPTH,
    };
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(body, options),
        file,
        text,
        shift: text.len() - body.len(),
        findings: Vec::new(),
    };
    let documents = reader.documents();
    Parsed { documents, findings: reader.findings }
}

/// Why a document was given up.
enum Stop {
    Syntax(ScanError),
    Depth(Place),
    Enough,
    End,
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    file: &'t Arc<str>,
    text: &'t str,
    shift: usize,
    findings: Vec<Finding>,
}

impl<'t> Reader<'t> {
    fn documents(&mut self) -> Vec<Node> {
        let mut documents = Vec::new();
        loop {
            let stop = match self.document() {
                Ok(Some(node)) => {
                    documents.push(node);
                    continue;
                }
                Ok(None) => continue,
                Err(stop) => stop,
            };
            match stop {
                Stop::End => return documents,
                Stop::Enough => {
                    let last = self.findings.last();
                    let place = last.map_or_else(Place::start_of_file, |last| last.span.clone());
                    let message = "the file was not read beyond this place".to_owned();
                    self.report(Code::TooManyFindings, place, message);
                    return documents;
                }
                Stop::Syntax(error) => self.syntax(&error),
                Stop::Depth(place) => {
                    let message = format!("nested more than {DEPTH_MAX} levels deep");
                    self.report(Code::YamlDepth, place, message);
                }
            }
            if !matches!(self.parser.proceed_next_document(), Ok(true)) {
                return documents;
            }
        }
    }

    /// The next document, or nothing for an event between documents or an empty one.
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        match self.next()? {
            (Event::StreamEnd, _) => Err(Stop::End),
            (Event::DocumentStart(..), _) => {
                let (event, span) = self.next()?;
                let node = self.node(event, span, 0)?;
                let is_empty = matches!(node.content, Content::Null);
                Ok(if is_empty { None } else { Some(node) })
            }
            _ => Ok(None),
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        loop {
            if self.findings.len() >= FINDINGS_MAX {
                return Err(Stop::Enough);
            }
            match self.parser.next_event() {
                None => return Err(Stop::End),
                Some(Err(error)) => return Err(Stop::Syntax(error)),
                Some(Ok((Event::Anchor(_, name), span))) => {
                    let place = self.place(&span);
                    let message = format!("anchor {}", words::quote(&format!("&{name}")));
                    self.report(Code::YamlAlias, place, message);
                }
                Some(Ok(event)) => return Ok(event),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let place = self.place(&span);
        if depth > DEPTH_MAX {
            return Err(Stop::Depth(place));
        }
        if let Some(tag) = event.tag() {
            let at = span.tag_span().map_or_else(|| place.clone(), |span| self.place(&span));
            let message = format!("tag {}", words::quote(&tag.original()));
            self.report(Code::YamlTag, at, message);
        }
        let content = match event {
            Event::Scalar(_, _, _, Some(_)) => Content::Broken,
            Event::Scalar(text, ScalarStyle::Plain, _, _) => self.plain(&text, &place),
            Event::Scalar(text, ..) => Content::Text(text.into_owned()),
            Event::SequenceStart(..) => return self.sequence(place, depth),
            Event::MappingStart(..) => return self.mapping(place, depth),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let name = self.text.get(place.bytes()).unwrap_or("*");
                let message = format!("alias {}", words::quote(name));
                self.report(Code::YamlAlias, place.clone(), message);
                Content::Broken
            }
            _ => Content::Broken,
        };
        Ok(Node { place, content })
    }

    fn plain(&mut self, word: &str, place: &Place) -> Content {
        if scalar::is_ambiguous(word) {
            let message = format!(
                "{} is read as text here and as a truth value elsewhere",
                words::quote(word)
            );
            self.report(Code::AmbiguousWord, place.clone(), message);
            return Content::Broken;
        }
        if scalar::has_leading_zero(word) {
            let message = format!("{} has a leading zero", words::quote(word));
            self.report(Code::LeadingZero, place.clone(), message);
            return Content::Broken;
        }
        scalar::resolve(word)
    }

    fn sequence(&mut self, mut place: Place, depth: usize) -> Result<Node, Stop> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                place = self.close(place, &span, items.last().map(|item| &item.place));
                return Ok(Node { place, content: Content::Seq(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, mut place: Place, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut last = None;
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                place = self.close(place, &span, last.as_ref());
                // Without the keys that were refused it would look as if it had never had any.
                let content = match last {
                    Some(_) if entries.is_empty() => Content::Broken,
                    _ => Content::Map(entries),
                };
                return Ok(Node { place, content });
            }
            let key_place = self.place(&span);
            let key = self.key(event, span, depth)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            last = Some(key_place.to(&value.place));
            let Some(key) = key else { continue };
            if let Some(first) = known.get(&key).and_then(|index| entries.get(*index)) {
                let message = format!("{} stands twice", words::quote(&key));
                let finding = Finding::new(Code::DuplicateKey, self.file, key_place, message)
                    .label(self.file, first.key_place.clone(), "first here");
                self.findings.push(finding);
                continue;
            }
            known.insert(key.clone(), entries.len());
            entries.push(Entry { key, key_place, value });
        }
    }

    /// A key, or nothing when it was refused.
    fn key(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Option<String>, Stop> {
        let place = self.place(&span);
        if let Event::Scalar(text, _, _, None) = &event
            && !text.is_empty()
        {
            if text == "<<" {
                self.report(Code::YamlAlias, place, "merge key `<<`".to_owned());
                return Ok(None);
            }
            return Ok(Some(text.clone().into_owned()));
        }
        let what = match &event {
            Event::MappingStart(..) => "a mapping",
            Event::SequenceStart(..) => "a list",
            Event::Alias(_) | Event::UnresolvedAlias(_) => "an alias",
            Event::Scalar(_, _, _, Some(_)) => "a tagged value",
            _ => "nothing",
        };
        self.report(Code::YamlKey, place, format!("{what} stands where a key belongs"));
        let quiet = self.findings.len();
        self.node(event, span, depth + 1)?;
        self.findings.truncate(quiet);
        Ok(None)
    }

    /// The end of a collection: its bracket, or for a block the end of its last value.
    fn close(&self, place: Place, end: &Span, last: Option<&Place>) -> Place {
        let end = self.place(end);
        let bracket = self.text.get(end.bytes()).is_some_and(|text| text == "]" || text == "}");
        if bracket {
            place.to(&end)
        } else {
            last.map_or_else(|| place.clone(), |last| place.to(last))
        }
    }

    fn place(&self, span: &Span) -> Place {
        let (start, end) = (self.offset(&span.start), self.offset(&span.end));
        let exact = self.text.get(start..end).unwrap_or("");
        let kept = exact.trim_end();
        if kept.len() < exact.len() {
            // Block scalars end on the next line; a caret there would point at nothing.
            return self.short(span, start, kept);
        }
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Place {
            line: number(span.start.line()),
            column: number(span.start.col() + 1),
            end_line: number(span.end.line()),
            end_column: number(span.end.col() + 1),
            start,
            end,
        }
    }

    fn short(&self, span: &Span, start: usize, kept: &str) -> Place {
        let inner = Place::of(kept, kept.len()..kept.len());
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        let column = u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX);
        let end_column = if inner.line == 1 { column + inner.column - 1 } else { inner.column };
        let end_line = line + inner.line - 1;
        Place { line, column, end_line, end_column, start, end: start + kept.len() }
    }

    fn offset(&self, marker: &Marker) -> usize {
        (marker.byte_offset().unwrap_or(0) + self.shift).min(self.text.len())
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = self.offset(error.marker());
        let line_start = self.text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
        let line = self.text.get(line_start..).unwrap_or("").lines().next().unwrap_or("");
        let indent: &str = &line[..line.len() - line.trim_start().len()];
        if let Some(tab) = indent.find('\t') {
            let start = line_start + tab;
            let place = Place::of(self.text, start..start + 1);
            self.report(Code::YamlTab, place, "a tab indents this line".to_owned());
            return;
        }
        let width = self.text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n');
        let place = Place::of(self.text, at..at + width.map_or(0, char::len_utf8));
        self.report(Code::YamlSyntax, place, error.info());
    }

    fn report(&mut self, code: Code, place: Place, message: String) {
        self.findings.push(Finding::new(code, self.file, place, message));
    }
}
