//! `palisade show FILE`: a plan file on screen, whole or narrowed.

use std::path::PathBuf;

use crate::cli::applying;
use crate::cli::args::PlanFormat;
use crate::cli::context::{self, Context};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::model::Verb;
use crate::plan::{Disposition, Plan, PlanFileError, file};
use crate::report::plan::{self as report, Filter};

/// Show a plan file, whole or in part.
///
/// Without a filter this is the screen of `plan`. With one, only matching changes and entries are
/// shown, every name written out; with `--device`, every field. A plan that was edited after it was
/// made is said to be so, and the command ends with 1.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade show plan.json\n  palisade show plan.json --verb isolate --group EMEA-Servers\n  palisade show plan.json --disposition held\n  palisade show plan.json --policy ir-7781 --wave 1\n  palisade show plan.json --device lon-0231\n  palisade show plan.json --format markdown > comment.md"
)]
pub struct Show {
    /// The plan file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Only devices of this group; `ungrouped` for those without one.
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Only what this policy wants: its name, or `Kind/name`.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Only this verb.
    #[arg(long, value_name = "VERB", value_parser = verb())]
    pub verb: Option<Verb>,
    /// Only this device (or alert), by id or name, with every field.
    #[arg(long, value_name = "ID|NAME")]
    pub device: Option<String>,
    /// Only this disposition.
    #[arg(long, value_name = "DISPOSITION", value_parser = disposition())]
    pub disposition: Option<Disposition>,
    /// Only changes of this wave of their rollouts; what waits for no wave is in the first.
    #[arg(long, value_name = "NUMBER")]
    pub wave: Option<u32>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
}

fn verb() -> impl clap::builder::TypedValueParser<Value = Verb> {
    use clap::builder::TypedValueParser as _;
    let words: Vec<&'static str> = Verb::ALL.iter().map(|verb| verb.word()).collect();
    clap::builder::PossibleValuesParser::new(words)
        .map(|text| Verb::parse(&text).unwrap_or(Verb::Scan))
}

fn disposition() -> impl clap::builder::TypedValueParser<Value = Disposition> {
    use clap::builder::TypedValueParser as _;
    const ALL: [(&str, Disposition); 7] = [
        ("do", Disposition::Do),
        ("held", Disposition::Held),
        ("cannot", Disposition::Cannot),
        ("unknown", Disposition::Unknown),
        ("foreign", Disposition::Foreign),
        ("changing", Disposition::Changing),
        ("audit", Disposition::Audit),
    ];
    clap::builder::PossibleValuesParser::new(ALL.map(|(word, _)| word)).map(|text| {
        ALL.iter().find(|(word, _)| *word == text).map_or(Disposition::Do, |(_, kind)| *kind)
    })
}

impl Show {
    /// Shows the plan.
    ///
    /// # Errors
    /// When the file cannot be read or is no plan. One that was edited is shown as such, with code 1.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let bytes = context::read_plan(&self.file)?;
        let (plan, edited) = read(&self.file, &bytes)?;
        let filter = Filter {
            tenants: context.global.tenant.clone(),
            group: self.group,
            policy: self.policy,
            verb: self.verb,
            device: self.device,
            disposition: self.disposition,
            wave: self.wave,
        };
        let text = match self.format {
            PlanFormat::Text => report::show(&plan, &filter, context.style()),
            PlanFormat::Json => String::from_utf8_lossy(&bytes).into_owned(),
            PlanFormat::Yaml => report::yaml(&plan),
            PlanFormat::Markdown => report::markdown(&plan),
        };
        if !edited {
            context.data(&text)?;
            return Ok(Exit::Done);
        }
        // Said where it is read, above everything that may not be true.
        let notice = match self.format {
            PlanFormat::Text => format!("{EDITED}\n\n"),
            PlanFormat::Markdown => format!("> **{EDITED}**\n\n"),
            PlanFormat::Json | PlanFormat::Yaml => String::new(),
        };
        context.data(&format!("{notice}{text}"))?;
        let name = context::shown(&self.file);
        context.note(&format!("`{name}` is not what `plan` wrote: `apply` refuses it."));
        Ok(Exit::Error)
    }
}

/// Stands above a plan whose hash is not that of its content.
const EDITED: &str =
    "EDITED: this plan was changed after it was made; it is not what would be done.";

/// The plan, and whether it was edited. What has no shape of a plan is refused.
fn read(path: &std::path::Path, bytes: &[u8]) -> Result<(Plan, bool)> {
    let refused =
        |error: CliError| error.context(format!("`{}` is not a plan file", context::shown(path)));
    match file::read(bytes) {
        Ok(plan) => Ok((plan, false)),
        Err(PlanFileError::Edited) => {
            let plan = serde_json::from_slice(bytes).map_err(CliError::from).map_err(refused)?;
            Ok((plan, true))
        }
        Err(error) => Err(refused(applying::refused(error))),
    }
}
