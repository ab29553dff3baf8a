//! The switches of [`Behaviour`] by name, for scenario lines.
//!
//! One table: a name, what it takes and how it is set. What the values mean is said at the fields.

use jiff::SignedDuration;

use super::line::span;
use crate::emulator::config::{Behaviour, Conflicts, ForbiddenWording, NextLinks, Plan};

/// A value, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Flag(bool),
    Number(usize),
    Span(SignedDuration),
    /// A place in the list of words.
    Word(usize),
}

/// What a switch takes.
#[derive(Clone, Copy, Debug)]
enum Takes {
    Flag,
    Number,
    Span,
    Words(&'static [&'static str]),
}

type Set = fn(&mut Behaviour, Value);

/// A switch with the value to set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switch {
    set: Set,
    name: &'static str,
    value: Value,
}

impl PartialEq for Switch {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }
}

macro_rules! set {
    ($kind:ident, $($field:ident).+) => {
        |behaviour, value| {
            if let Value::$kind(value) = value {
                behaviour.$($field).+ = value;
            }
        }
    };
    ($($field:ident).+ = $options:expr) => {
        |behaviour, value| {
            if let Value::Word(place) = value
                && let Some(option) = $options.get(place)
            {
                behaviour.$($field).+ = *option;
            }
        }
    };
}

const CONFLICTS: &[&str] = &["return-existing", "reject", "time-based"];
const LINKS: &[&str] = &["sound", "broken", "never"];
const WORDING: &[&str] = &["newer", "older"];
const PLANS: &[&str] = &["1", "2", "business"];

#[rustfmt::skip]
const TABLE: &[(&str, Takes, Set)] = &[
    ("conflicts", Takes::Words(CONFLICTS), set!(conflicts = [Conflicts::ReturnExisting, Conflicts::Reject, Conflicts::TimeBased])),
    ("conflict-grace", Takes::Span, set!(Span, conflict_grace)),
    ("reisolation-sticks", Takes::Flag, set!(Flag, reisolation_sticks)),
    ("out-of-order", Takes::Flag, set!(Flag, out_of_order)),
    ("fresh-scope-is-null", Takes::Flag, set!(Flag, fresh_scope_is_null)),
    ("empty-machines-are-404", Takes::Flag, set!(Flag, empty_machines_are_404)),
    ("merged-records-are-404", Takes::Flag, set!(Flag, merged_records_are_404)),
    ("next-links", Takes::Words(LINKS), set!(next_links = [NextLinks::Sound, NextLinks::Broken, NextLinks::Never])),
    ("graph-next-links", Takes::Flag, set!(Flag, graph_next_links)),
    ("strict-roles", Takes::Flag, set!(Flag, strict_roles)),
    ("forbidden", Takes::Words(WORDING), set!(forbidden = [ForbiddenWording::Newer, ForbiddenWording::Older])),
    ("page-size", Takes::Number, set!(Number, page_size)),
    ("most-rows", Takes::Number, |behaviour, value| {
        if let Value::Number(number) = value {
            behaviour.most_rows = number.max(1);
        }
    }),
    ("av-page-size", Takes::Number, set!(Number, av_page_size)),
    ("plan", Takes::Words(PLANS), set!(plan = [Plan::One, Plan::Two, Plan::Business])),
    ("retention", Takes::Span, set!(Span, retention)),
    ("patience", Takes::Span, set!(Span, patience)),
    ("failures-per-mille", Takes::Number, |behaviour, value| {
        if let Value::Number(number) = value {
            behaviour.failures_per_mille = u32::try_from(number.min(1_000)).unwrap_or(1_000);
        }
    }),
    ("limits", Takes::Flag, set!(Flag, enforce_limits)),
    ("count-refused", Takes::Flag, set!(Flag, count_refused)),
    ("token-lifetime", Takes::Span, set!(Span, token_lifetime)),
    ("pickup-takes", Takes::Span, set!(Span, durations.pickup)),
    ("isolate-takes", Takes::Span, set!(Span, durations.isolate)),
    ("unisolate-takes", Takes::Span, set!(Span, durations.unisolate)),
    ("restrict-takes", Takes::Span, set!(Span, durations.restrict)),
    ("quick-scan-takes", Takes::Span, set!(Span, durations.quick_scan)),
    ("full-scan-takes", Takes::Span, set!(Span, durations.full_scan)),
    ("quarantine-takes", Takes::Span, set!(Span, durations.quarantine)),
    ("package-takes", Takes::Span, set!(Span, durations.package)),
    ("offboard-takes", Takes::Span, set!(Span, durations.offboard)),
];

/// The names of all switches.
pub const SWITCHES: [&str; TABLE.len()] = {
    let mut names = [""; TABLE.len()];
    let mut index = 0;
    while index < TABLE.len() {
        names[index] = TABLE[index].0;
        index += 1;
    }
    names
};

impl Switch {
    /// Reads a name and a value.
    pub(super) fn read(name: &str, value: &str) -> Result<Self, String> {
        // The singular reads as well.
        let wanted = if name == "conflict" { "conflicts" } else { name };
        let Some((name, takes, set)) = TABLE.iter().find(|(name, ..)| *name == wanted) else {
            return Err(format!("`{name}` is not a switch; there are {}", SWITCHES.join(", ")));
        };
        let value = match takes {
            Takes::Flag => match value {
                "on" => Value::Flag(true),
                "off" => Value::Flag(false),
                other => return Err(format!("`{other}` is neither `on` nor `off`")),
            },
            Takes::Number => {
                let number = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
                Value::Number(number)
            }
            Takes::Span => {
                let span = span(value)?;
                if span.is_negative() {
                    return Err("the time cannot be negative".to_owned());
                }
                Value::Span(span)
            }
            Takes::Words(words) => match words.iter().position(|word| *word == value) {
                Some(place) => Value::Word(place),
                None => return Err(format!("`{value}` is not one of {}", words.join(", "))),
            },
        };
        Ok(Self { set: *set, name, value })
    }

    /// Sets it.
    pub(super) fn set(self, behaviour: &mut Behaviour) {
        (self.set)(behaviour, self.value);
    }
}
