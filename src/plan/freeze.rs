//! The freeze: a file in the workspace that stops every apply.
//!
//! It is there or it is not; whatever stands in it only says who, when, why and until when. An empty
//! file freezes, a file that nobody can read freezes, a time that is not understood is no end. Read
//! by `drive::apply`, written by `cli`, told by plans and runs. It is lifted by removing the file
//! and by nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::types::{Level, Objection, Reason};

/// Name of the file, beside `palisade.yaml`.
pub const FILE: &str = "palisade.freeze";

/// The first line of a file that we write.
const HEAD: &str =
    "# While this file is here, every apply of this workspace is refused: `palisade unfreeze`.";

/// Longest text kept of a line, in characters.
const TEXT_MAX: usize = 300;

/// What a freeze file says. The empty one is in force too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freeze {
    /// Who froze.
    pub by: Option<String>,
    /// When (UTC).
    pub at: Option<Timestamp>,
    /// Why, in a person's words.
    pub because: Option<String>,
    /// When it ends by itself (UTC).
    pub until: Option<Timestamp>,
    /// What of the file could not be read: such a freeze has no end.
    pub trouble: Option<String>,
}

impl Freeze {
    /// Reads `key: value` lines; whatever else stands there is the reason, and lines that begin with
    /// `#` are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        let mut said: BTreeMap<&str, &str> = BTreeMap::new();
        let mut words = Vec::new();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
                Some((key @ ("by" | "at" | "because" | "until"), value)) => {
                    if said.insert(key, value).is_some() {
                        found.trouble = Some(format!("`{key}` stands there twice"));
                    }
                }
                _ => words.push(line),
            }
        }
        let text = |key| said.get(key).filter(|text| !text.is_empty()).map(|text| cut(text));
        (found.by, found.because) = (text("by"), text("because"));
        if found.because.is_none() && !words.is_empty() {
            found.because = Some(cut(&words.join(" ")));
        }
        for (key, slot) in [("at", &mut found.at), ("until", &mut found.until)] {
            match said.get(key).map(|text| text.parse::<Timestamp>()) {
                Some(Ok(at)) => *slot = Some(at),
                Some(Err(_)) => found.trouble = Some(format!("`{key}` is not a time")),
                None => {}
            }
        }
        if found.trouble.is_some() {
            found.until = None;
        }
        found
    }

    /// A file that is there and cannot be read.
    #[must_use]
    pub fn unreadable(why: &str) -> Self {
        Self { trouble: Some(cut(why)), ..Self::default() }
    }

    /// The file's text; `parse` gives the same freeze back.
    #[must_use]
    pub fn render(&self) -> String {
        let Self { by, at, because, until, trouble: _ } = self;
        let time = |at: &Timestamp| at.to_string();
        let lines = [
            ("by", by.clone()),
            ("at", at.as_ref().map(time)),
            ("because", because.clone()),
            ("until", until.as_ref().map(time)),
        ];
        let mut text = format!("{HEAD}\n");
        for (key, value) in lines {
            if let Some(value) = value {
                text.push_str(&format!("{key}: {}\n", cut(&value)));
            }
        }
        text
    }

    /// Whether it stops an apply at this instant.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Why a run is refused or stops.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let Self { by, at, because, until, trouble } = self;
        let facts = [
            ("by", by.clone()),
            ("at", at.map(|at| at.to_string())),
            ("because", because.clone()),
            ("until", until.map(|until| until.to_string())),
            ("trouble", trouble.clone()),
        ];
        facts.into_iter().fold(Reason::new("frozen"), |reason, (key, value)| match value {
            Some(value) => reason.with(key, value),
            None => reason,
        })
    }

    /// What a plan says that is made during the freeze: it shows what would be done all the same.
    #[must_use]
    pub fn objection(&self) -> Objection {
        let Reason { code, facts } = self.reason();
        Objection {
            code,
            level: Level::Warn,
            tenant: String::new(),
            scope: "workspace".to_owned(),
            verb: None,
            about: 0,
            held: 0,
            lifted: None,
            setting: FILE.to_owned(),
            facts,
        }
    }
}

/// One line of at most `TEXT_MAX` characters.
fn cut(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(TEXT_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_file_is_read_back_as_it_was_written() {
        let freeze = Freeze {
            by: Some("ada".into()),
            at: Some(at("2026-11-26T10:00:00Z")),
            because: Some("IR-7781: the tenant\nis looked at".into()),
            until: Some(at("2026-11-27T10:00:00Z")),
            trouble: None,
        };
        let because = Some("IR-7781: the tenant is looked at".to_owned());
        assert_eq!(Freeze::parse(&freeze.render()), Freeze { because, ..freeze });
        assert_eq!(Freeze::parse(&Freeze::default().render()), Freeze::default());
    }

    #[test]
    fn whatever_stands_in_it_freezes_and_only_a_clear_end_ends() {
        let now = at("2026-11-26T10:00:00Z");
        for (text, in_force) in [
            ("", true),
            ("\u{feff}\0\u{1}", true),
            ("ask Ada before you apply", true),
            ("until: 2026-11-26T09:59:59Z", false),
            ("until: 2026-11-26T10:00:00Z", false),
            ("until: 2026-11-26T10:00:01Z", true),
            ("until: tomorrow", true),
            ("until: 2026-11-26T09:00:00Z\nuntil: 2026-11-26T09:30:00Z", true),
            ("<<<<<<< ours\nuntil: 2026-11-25T00:00:00Z\n=======\nuntil: x\n>>>>>>> theirs", true),
            ("# until: 2026-11-26T09:00:00Z", true),
            ("at: once\nuntil: 2026-11-26T09:00:00Z", true),
        ] {
            assert_eq!(Freeze::parse(text).is_in_force(now), in_force, "{text:?}");
        }
        let unreadable = Freeze::unreadable("permission denied");
        assert!(unreadable.is_in_force(now));
        assert_eq!(unreadable.reason().text("trouble").as_deref(), Some("permission denied"));
    }

    #[test]
    fn free_words_are_the_reason_and_the_facts_are_kept() {
        let freeze = Freeze::parse("by: ada\nIR-7781,\nask Ada\n");
        assert_eq!(freeze.because.as_deref(), Some("IR-7781, ask Ada"));
        let reason = freeze.reason();
        assert_eq!((reason.code.as_str(), reason.facts.len()), ("frozen", 2));
        let objection = freeze.objection();
        assert_eq!((objection.level, objection.held), (Level::Warn, 0));
    }
}
