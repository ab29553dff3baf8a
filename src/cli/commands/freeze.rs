//! `palisade freeze`, `palisade unfreeze`: one file that stops every apply of the workspace.
//!
//! Neither reads `palisade.yaml`: a freeze must work when the workspace has errors.

use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::{session, workspace};
use crate::drive::apply::frozen;
use crate::host::files;
use crate::model::Span;
use crate::plan::Freeze as Frozen;
use crate::plan::freeze::FILE;
use crate::report::freeze as report;

/// Stop every apply of this workspace at once.
///
/// Writes `palisade.freeze` beside `palisade.yaml`; of two freezes the later end and the newer reason
/// stand. While it is there, `apply` and every other command
/// that would send something is refused with code 3, and a run that is under way sends nothing more
/// and ends `stopped`; `runs resume` finishes it later. `plan` goes on showing what would be done.
/// The file may also be made by hand or come with Git: an empty one freezes, and one that cannot be
/// read freezes too. Only `palisade cancel`, which takes back what is pending, still works. It is the
/// whole workspace that is frozen: `--tenant` is refused.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade freeze --because 'IR-7781: the tenant is looked at'\n  palisade freeze --until 4h\n  palisade freeze --status       # ends with 3 while it is frozen\n  palisade unfreeze"
)]
pub struct Freeze {
    /// Why, for those who meet it.
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
    /// When it ends by itself: an instant, or a length of time from now [default: never].
    #[arg(long, value_name = "RFC3339|DURATION", value_parser = end)]
    pub until: Option<End>,
    /// Only say whether it is frozen.
    #[arg(long, conflicts_with_all = ["because", "until"])]
    pub status: bool,
    /// How the status is shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Let the workspace be applied again.
///
/// Removes `palisade.freeze`, for every tenant: `--tenant` is refused. A run that it stopped is
/// finished by `palisade runs resume`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  palisade unfreeze")]
pub struct Unfreeze {}

/// When a freeze ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// At an instant.
    At(Timestamp),
    /// So long from now.
    After(Span),
}

fn end(text: &str) -> std::result::Result<End, String> {
    if let Ok(at) = text.parse() {
        return Ok(End::At(at));
    }
    let span = Span::parse(text).map_err(|error| error.to_string());
    span.map(End::After).map_err(|why| format!("neither an instant nor a length of time: {why}"))
}

impl Freeze {
    /// Freezes, or says whether it is frozen.
    ///
    /// # Errors
    /// When `--tenant` is given, there is no workspace, the end has passed or the file cannot be written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        session::whole_workspace(context)?;
        let root = workspace::locate(context)?;
        let now = context.clock.now();
        let found = frozen(&root);
        if self.status {
            return status(context, found.as_ref(), now, self.format);
        }
        let until = self.until.map(|end| match end {
            End::At(at) => at,
            End::After(span) => span.after(now),
        });
        if until.is_some_and(|until| until <= now) {
            return Err(CliError::new("`--until` has passed already: nothing would be frozen"));
        }
        let names = ["GITHUB_ACTOR", "USER", "USERNAME"];
        let new = Frozen {
            by: names.iter().find_map(|name| context.env.get(name)).map(str::to_owned),
            at: Some(now.round(jiff::Unit::Second).unwrap_or(now)),
            because: self.because,
            until,
            trouble: None,
        };
        let new = match found.filter(|freeze| freeze.is_in_force(now)) {
            Some(old) if stays(&old, &new) => {
                let lost = if new.because.is_some() {
                    " It cannot be read whole, and the new reason is not written into it."
                } else {
                    ""
                };
                let already =
                    "It is frozen already, no shorter than that; the file stays as it is.";
                context.note(&format!("{already}{lost}"));
                return show(context, Some(&old), now, self.format);
            }
            Some(old) => together(&old, new),
            None => new,
        };
        files::write_atomic(&root.join(FILE), new.render().as_bytes())?;
        context.note(
            "`palisade unfreeze` ends it. Commit the file to freeze what is applied from Git.",
        );
        show(context, Some(&new), now, self.format)
    }
}

/// Whether a second freeze changes nothing. What cannot be read whole is not written over.
fn stays(old: &Frozen, new: &Frozen) -> bool {
    ends_no_earlier(old, new) && (new.because.is_none() || old.trouble.is_some())
}

/// A second freeze: it never shortens the first, and the newer reason stands.
fn together(old: &Frozen, new: Frozen) -> Frozen {
    let until = if ends_no_earlier(old, &new) { old.until } else { new.until };
    let because = new.because.or_else(|| old.because.clone());
    Frozen { until, because, at: old.at, ..new }
}

fn ends_no_earlier(old: &Frozen, new: &Frozen) -> bool {
    match (old.until, new.until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => old >= new,
    }
}

fn show(
    context: &mut Context,
    freeze: Option<&Frozen>,
    now: Timestamp,
    format: Format,
) -> Result<Exit> {
    let text = match format {
        Format::Text => report::text(freeze, now),
        Format::Json => report::json(freeze, now),
    };
    context.data(&text)?;
    Ok(Exit::Done)
}

fn status(
    context: &mut Context,
    freeze: Option<&Frozen>,
    now: Timestamp,
    format: Format,
) -> Result<Exit> {
    show(context, freeze, now, format)?;
    let frozen = freeze.is_some_and(|freeze| freeze.is_in_force(now));
    Ok(if frozen { Exit::Held } else { Exit::Done })
}

impl Unfreeze {
    /// Removes the file.
    ///
    /// # Errors
    /// When `--tenant` is given, there is no workspace or the file cannot be removed.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        session::whole_workspace(context)?;
        let Self {} = self;
        let root = workspace::locate(context)?;
        let now = context.clock.now();
        let found = frozen(&root);
        let was = match found.filter(|freeze| freeze.is_in_force(now)) {
            Some(freeze) => {
                format!("Ended: {}", crate::report::reason::sentence(&freeze.reason()))
            }
            None => "It was not frozen.".to_owned(),
        };
        let path = root.join(FILE);
        files::remove(&path).map_err(|error| {
            let error = CliError::from(error);
            if !path.is_dir() {
                return error;
            }
            error.help("it is a folder, which freezes too: look what is in it, remove it by hand")
        })?;
        context.note(&was);
        Ok(Exit::Done)
    }
}
