//! Five-field cron expressions: what authors may write and which civil minutes they mean.
//!
//! Fields are minute, hour, day of month, month, day of week; names (`JAN`, `SAT`), ranges, lists
//! and steps are understood, `7` is Sunday, `?` means "any" in the two day fields, `@daily` and its
//! like are short for a full expression. When both day fields are restricted, either may match, as
//! in the classic cron; a field that begins with `*` or `?` is not a restriction. An expression
//! whose dates can never come (30 February) is refused when it is read, so that every search for a
//! tick ends. Read by the policy checks, asked by `tick`. Knows no time zone and no clock.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;

/// A five-field cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// The author's text.
    pub text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a date needs only one of the two day fields.
    either_day: bool,
}

/// Why a text is no cron expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct CronError {
    /// What is wrong.
    pub kind: CronErrorKind,
    /// Bytes of the text that are wrong; empty at the end when something is missing.
    pub at: Range<usize>,
}

/// What may be wrong with a cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronErrorKind {
    /// Not five fields.
    #[error("a cron expression has five fields, here are {0}")]
    Fields(usize),
    /// An `@word` that is none.
    #[error("`{0}` is not a known short form")]
    Alias(String),
    /// A part that is neither a number nor a name of that field.
    #[error("`{text}` is not a {field}")]
    Value {
        /// The author's text.
        text: String,
        /// The field.
        field: Field,
    },
    /// A number outside the field's range.
    #[error("{field} `{value}` is not between {least} and {most}")]
    Range {
        /// The author's number.
        value: u32,
        /// The field.
        field: Field,
        /// Least value.
        least: u32,
        /// Greatest value.
        most: u32,
    },
    /// `5-1`.
    #[error("the range `{0}` runs backwards")]
    Backwards(String),
    /// `*/0`.
    #[error("a step must be at least 1")]
    Step,
    /// `?` in a field other than the two day fields.
    #[error("`?` is allowed for the day of month and the day of week only")]
    Question,
    /// 30 February.
    #[error("no date ever matches: the chosen months have no such day")]
    Never,
}

/// The five fields in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Field {
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

const MONTHS: &[&str] =
    &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Field {
    const ALL: [Self; 5] =
        [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];

    /// Least and greatest value; Sunday is both 0 and 7.
    const fn bounds(self) -> (u32, u32) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    /// Names with the number of the first.
    const fn names(self) -> (&'static [&'static str], u32) {
        match self {
            Self::Month => (MONTHS, 1),
            Self::DayOfWeek => (WEEKDAYS, 0),
            Self::Minute | Self::Hour | Self::DayOfMonth => (&[], 0),
        }
    }
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says what is wrong and at which bytes of `text`.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        if let Some(full) = alias(text)? {
            let cron = Self::parse(full)?;
            return Ok(Self { text: text.to_owned(), ..cron });
        }
        let parts = words(text);
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(CronError {
                kind: CronErrorKind::Fields(parts.len()),
                at: parts.get(5).map_or(text.len()..text.len(), |part| part.at..text.len()),
            });
        };
        let mut sets = [0u64; 5];
        for ((set, part), field) in
            sets.iter_mut().zip([minute, hour, day, month, weekday]).zip(Field::ALL)
        {
            *set = list(field, part)?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let cron = Self {
            text: text.to_owned(),
            minutes,
            hours,
            days,
            months,
            // Seven is Sunday.
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            either_day: restricts(day) && restricts(weekday),
        };
        if cron.is_possible() {
            Ok(cron)
        } else {
            Err(CronError { kind: CronErrorKind::Never, at: day.at..month.at + month.text.len() })
        }
    }

    /// Whether ticks fall on that date.
    #[must_use]
    pub fn matches_date(&self, date: Date) -> bool {
        let day = has(self.days, u32::from(date.day().unsigned_abs()));
        let weekday = u32::from(date.weekday().to_sunday_zero_offset().unsigned_abs());
        let weekday = has(self.weekdays, weekday);
        let fits = if self.either_day { day || weekday } else { day && weekday };
        self.matches_month(date) && fits
    }

    /// Whether ticks may fall into that date's month.
    #[must_use]
    pub fn matches_month(&self, date: Date) -> bool {
        has(self.months, u32::from(date.month().unsigned_abs()))
    }

    /// Hour and minute of each tick of a matching day, in order.
    pub fn times(&self) -> impl DoubleEndedIterator<Item = (i8, i8)> + '_ {
        let minutes = move || (0i8..60).filter(|m| has(self.minutes, u32::from(m.unsigned_abs())));
        (0i8..24)
            .filter(|hour| has(self.hours, u32::from(hour.unsigned_abs())))
            .flat_map(move |hour| minutes().map(move |minute| (hour, minute)))
    }

    /// Whether any date can match. A weekday comes in every month; a day of month may be too late
    /// for each of the months.
    fn is_possible(&self) -> bool {
        let first = self.days.trailing_zeros();
        let reachable = (1u32..).zip(LONGEST).any(|(m, last)| has(self.months, m) && first <= last);
        self.either_day || reachable
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

const fn has(set: u64, value: u32) -> bool {
    set >> value & 1 == 1
}

/// A piece of the text and the byte where it starts.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Part<'a> {
    fn error(self, kind: CronErrorKind) -> CronError {
        CronError { kind, at: self.at..self.at + self.text.len() }
    }

    /// Both sides of the first `sign`.
    fn split(self, sign: char) -> Option<(Self, Self)> {
        let (left, right) = self.text.split_once(sign)?;
        let at = self.at + left.len() + sign.len_utf8();
        Some((Part { text: left, at: self.at }, Part { text: right, at }))
    }

    fn pieces(self, sign: char) -> impl Iterator<Item = Part<'a>> {
        let mut at = self.at;
        self.text.split(sign).map(move |text| {
            let part = Part { text, at };
            at += text.len() + sign.len_utf8();
            part
        })
    }
}

fn words(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                parts.extend(text.get(from..at).map(|text| Part { text, at: from }));
                start = None;
            }
            _ => {}
        }
    }
    parts
}

fn alias(text: &str) -> Result<Option<&'static str>, CronError> {
    let word = text.trim();
    if !word.starts_with('@') {
        return Ok(None);
    }
    match word.to_ascii_lowercase().as_str() {
        "@hourly" => Ok(Some("0 * * * *")),
        "@daily" | "@midnight" => Ok(Some("0 0 * * *")),
        "@weekly" => Ok(Some("0 0 * * 0")),
        "@monthly" => Ok(Some("0 0 1 * *")),
        "@yearly" | "@annually" => Ok(Some("0 0 1 1 *")),
        _ => {
            let at = text.len() - text.trim_start().len();
            Err(Part { text: word, at }.error(CronErrorKind::Alias(word.to_owned())))
        }
    }
}

fn restricts(part: &Part<'_>) -> bool {
    !part.text.starts_with(['*', '?'])
}

fn list(field: Field, part: &Part<'_>) -> Result<u64, CronError> {
    part.pieces(',').try_fold(0, |set, piece| Ok(set | item(field, piece)?))
}

/// `*`, `?`, `5`, `1-5`, each perhaps with `/2`.
fn item(field: Field, part: Part<'_>) -> Result<u64, CronError> {
    let (body, step) = match part.split('/') {
        Some((body, step)) => (body, Some(parse_step(step)?)),
        None => (part, None),
    };
    let (least, mut most) = field.bounds();
    if field == Field::DayOfWeek {
        most = 6;
    }
    let (from, to) = match body.text {
        "*" => (least, most),
        "?" if matches!(field, Field::DayOfMonth | Field::DayOfWeek) => (least, most),
        "?" => return Err(body.error(CronErrorKind::Question)),
        _ => match body.split('-') {
            Some((from, to)) => (value(field, from)?, value(field, to)?),
            None => {
                let from = value(field, body)?;
                // `5/10` means from 5 on; a plain number is itself.
                (from, if step.is_some() { most.max(from) } else { from })
            }
        },
    };
    // `FRI-SUN` ends on the Sunday after Friday, not on the one before.
    let to = if field == Field::DayOfWeek && to == 0 && from > 0 { 7 } else { to };
    if from > to {
        return Err(body.error(CronErrorKind::Backwards(body.text.to_owned())));
    }
    let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
    Ok((from..=to).step_by(step).fold(0, |set, value| set | 1 << value))
}

fn parse_step(part: Part<'_>) -> Result<u32, CronError> {
    match part.text.parse::<u32>() {
        Ok(0) => Err(part.error(CronErrorKind::Step)),
        Ok(step) if part.text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(step),
        _ => Err(part.error(CronErrorKind::Step)),
    }
}

fn value(field: Field, part: Part<'_>) -> Result<u32, CronError> {
    let (names, first) = field.names();
    if let Some((number, _)) =
        (first..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(part.text))
    {
        return Ok(number);
    }
    let digits = !part.text.is_empty() && part.text.bytes().all(|byte| byte.is_ascii_digit());
    let number = part.text.parse::<u32>().ok().filter(|_| digits);
    let Some(value) = number else {
        return Err(part.error(CronErrorKind::Value { text: part.text.to_owned(), field }));
    };
    let (least, most) = field.bounds();
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(part.error(CronErrorKind::Range { value, field, least, most }))
    }
}
