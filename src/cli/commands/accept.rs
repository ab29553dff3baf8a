//! `palisade accept DEVICE…`: a live deviation becomes an `Exemption` for review.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::commands::list::{nowhere, of_name};
use crate::cli::context::{Context, shown};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::workspace::{self, Project};
use crate::cli::{planning, runtime, scope};
use crate::diag::Finding;
use crate::host::files::{self, AppendFile};
use crate::inventory::Inventory;
use crate::model::text::is_blank;
use crate::model::{Facet, Span};
use crate::plan::accept::{self, About, Deviation, Refusal};
use crate::plan::{Circumstances, Plan};
use crate::policy::document::PolicyDocument;
use crate::policy::{self, PolicySet, SourceText, Workspace};
use crate::report::{escape, findings};

/// Accept a live deviation: write an `Exemption` with the value it has, for review in a pull request.
///
/// Deviations are what `palisade audit` shows of a device: a posture that somebody else placed, a
/// wish that is held, a device that a policy wants otherwise. The exemption names the devices by id
/// and goes on watching: as soon as one of them leaves the accepted value, plan and audit show it.
/// Among the policies the file counts for this folder at once, and for others once it is merged. An
/// existing file is never overwritten.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade accept lon-0231 --reason 'forensics keep it' --approver ciso@contoso.example --expires 14d\n  palisade accept lon-0231 lon-0240 --facet isolation --reason IR-7781 --approver soc-lead \\\n      --expires 2027-01-31T00:00:00Z --stdout"
)]
pub struct Accept {
    /// Devices, by id or name.
    #[arg(value_name = "DEVICE", required = true)]
    pub devices: Vec<String>,
    /// Only this aspect; may be given several times [default: isolation and codeExecution].
    #[arg(long, value_name = "FACET", value_parser = facet)]
    pub facet: Vec<Facet>,
    /// Why it is accepted.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who agreed.
    #[arg(long, value_name = "WHO")]
    pub approver: String,
    /// Until when: an instant (RFC 3339) or a length of time such as `14d`.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub expires: When,
    /// Name of the exemption [default: `accepted-` and the first device's name].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The file to write [default: `exemptions/NAME.yaml` in the workspace's first policy folder].
    #[arg(long, value_name = "FILE", conflicts_with = "stdout")]
    pub out: Option<PathBuf>,
    /// Write to stdout instead of a file.
    #[arg(long)]
    pub stdout: bool,
}

/// An instant, or a length of time from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At.
    At(Timestamp),
    /// After.
    In(Span),
}

fn when(text: &str) -> std::result::Result<When, String> {
    let at = text.parse().map(When::At);
    let wrong = "neither an instant such as 2027-01-31T00:00:00Z nor a length such as 14d";
    at.or_else(|_| Span::parse(text).map(When::In)).map_err(|_| wrong.to_owned())
}

fn facet(text: &str) -> std::result::Result<Facet, String> {
    let known = Facet::ALL.iter().copied().filter(|facet| *facet != Facet::Classification);
    let words: Vec<&str> = known.clone().map(Facet::word).collect();
    known
        .into_iter()
        .find(|facet| facet.word() == text)
        .ok_or_else(|| format!("one of {}", words.join(", ")))
}

impl Accept {
    /// Reads, looks for the deviations, writes the exemption.
    ///
    /// # Errors
    /// When a device is not found or does not deviate, or the file is there already.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let now = context.clock.now();
        let expires = match self.expires {
            When::At(at) => at,
            // A whole second, as people write it.
            When::In(span) => Timestamp::from_second(span.after(now).as_second())?,
        };
        if expires <= now {
            return Err(CliError::new(format!("`--expires` {expires} has passed"))
                .help("name a later instant, or a length of time such as `14d`"));
        }
        for (option, text) in [("--reason", &self.reason), ("--approver", &self.approver)] {
            if is_blank(text) {
                return Err(CliError::new(format!("`{option}` says nothing"))
                    .help("whoever reviews the exemption reads why, and who agreed"));
            }
        }
        let project = workspace::open(context, now)?;
        let (workspace, policies) = project.usable(context)?;
        let scope = scope::for_policies(workspace, policies, now);
        let observed = runtime::block_on(planning::observe(context, workspace, &scope))?;
        let around = Circumstances::default();
        let read = &observed.inventories;
        let plan = planning::plan(context, workspace, policies, read, &around, None)?;
        let deviations = self.deviations(&plan, policies, &observed.inventories, now)?;
        let name = self.name.clone().unwrap_or_else(|| default_name(&deviations));
        let about = About { name: &name, reason: &self.reason, approver: &self.approver, expires };
        let documents = accept::documents(&deviations, &about, |name| escape::name(name, 80));
        let text = yaml(&documents)?;
        let path = self.out.clone().unwrap_or_else(|| default_path(workspace, &name));
        check(&project, workspace, &path, &text, now, context)?;
        if self.stdout {
            context.data(&text)?;
            return Ok(Exit::Done);
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::create_folder(folder)?;
        }
        if path.exists() {
            return Err(CliError::new(format!("`{}` is there already", shown(&path)))
                .help("choose another name with `--name`, or another file with `--out`"));
        }
        AppendFile::create(&path)?.append(text.as_bytes())?;
        context.data(&format!("{}\n", shown(&path)))?;
        let among = workspace.policies.iter().any(|of| path.starts_with(workspace.root.join(of)));
        context.note(if among {
            "It counts for this folder at once and for others once it is merged; `palisade plan` shows its effect."
        } else {
            "It counts once it lies among the policies of `palisade.yaml`."
        });
        Ok(Exit::Done)
    }

    fn deviations(
        &self,
        plan: &Plan,
        policies: &PolicySet,
        inventories: &[Inventory],
        now: Timestamp,
    ) -> Result<Vec<Deviation>> {
        let mut found: Vec<Deviation> = Vec::new();
        for text in &self.devices {
            let hits: Vec<_> = inventories
                .iter()
                .flat_map(|inventory| {
                    of_name(inventory, text).into_iter().map(move |d| (inventory, d))
                })
                .collect();
            let (inventory, device) = match hits.as_slice() {
                [one] => *one,
                [] => return Err(nowhere(text, inventories)),
                many => {
                    let error = CliError::new(format!("`{text}` is the name of several devices"));
                    return Err(many.iter().fold(error, |error, (inventory, device)| {
                        error.help(format!("{} in {}", inventory.id(*device), inventory.tenant()))
                    }));
                }
            };
            let (id, name) = (inventory.id(device), inventory.name(device));
            let tenant = inventory.tenant();
            if found.iter().any(|it| it.tenant == tenant && it.device == id) {
                continue;
            }
            let already = |facets: &[Facet]| {
                accept::accepted_already(policies, inventory, device, facets, now)
            };
            let own = match accept::deviations(plan, tenant, &id, name, &self.facet) {
                Err(none @ Refusal::None { .. }) => Err(already(&self.facet).unwrap_or(none)),
                // While its selector cannot be answered an exemption is not heard, and speaks of it all the same.
                Ok(own) => {
                    let facets: Vec<_> = own.iter().map(|it| it.facet).collect();
                    already(&facets).map_or(Ok(own), Err)
                }
                refusal => refusal,
            };
            found.extend(own.map_err(refused)?);
        }
        Ok(found)
    }
}

fn refused(refusal: Refusal) -> CliError {
    let help = match &refusal {
        Refusal::None { .. } => {
            "`palisade audit` shows what deviates; `--facet` names another aspect"
        }
        Refusal::Exempt { .. } => "edit that exemption",
        Refusal::Unknown { .. } | Refusal::Changing { .. } => {
            "accept it when the device is in a state that is known"
        }
    };
    CliError::from(refusal).help(help)
}

/// `accepted-` and the first device's host name, as far as names of policies allow its characters.
fn default_name(deviations: &[Deviation]) -> String {
    let first = deviations.first();
    let host = first.and_then(|it| it.name.split('.').next()).unwrap_or_default();
    let clean: String = host
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(40)
        .collect();
    match (clean.trim_matches('-'), first) {
        ("", Some(deviation)) => {
            format!(
                "accepted-{}",
                deviation.device.to_string().chars().take(12).collect::<String>()
            )
        }
        (clean, _) => format!("accepted-{clean}"),
    }
}

/// In the first policy folder; beside the file when the workspace names a file.
fn default_path(workspace: &Workspace, name: &str) -> PathBuf {
    let first = workspace.policies.first().map_or_else(|| Path::new("policies"), PathBuf::as_path);
    let first = workspace.root.join(first);
    let folder = if first.is_file() {
        first.parent().map(Path::to_path_buf).unwrap_or_default()
    } else {
        first.join("exemptions")
    };
    folder.join(format!("{name}.yaml"))
}

fn yaml(documents: &[PolicyDocument]) -> Result<String> {
    let texts: std::result::Result<Vec<String>, _> =
        documents.iter().map(serde_yaml::to_string).collect();
    Ok(texts?.join("---\n"))
}

/// Reads what is about to be written together with the workspace's policies: it is written only
/// when it adds no error.
fn check(
    project: &Project,
    workspace: &Workspace,
    path: &Path,
    text: &str,
    now: Timestamp,
    context: &mut Context,
) -> Result<()> {
    let file = path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string();
    let source = SourceText { file: file.as_str().into(), text: text.into() };
    let mut sources: Vec<SourceText> = project
        .sources
        .iter()
        .filter(|other| &*other.file != workspace::FILE && other.file != source.file)
        .cloned()
        .collect();
    sources.push(source);
    let loaded = policy::load(Some(workspace), &sources, now);
    let own: Vec<Finding> =
        loaded.findings.into_iter().filter(|finding| *finding.file == *file).collect();
    if !own.iter().any(Finding::is_error) {
        return Ok(());
    }
    context.note(&findings::text(&own, &sources, context.style_err()));
    Err(CliError::new("the exemption would not be valid; nothing was written"))
}
