//! The starter pack and the first workspace file, as they are written by `init` and `demo`.
//!
//! The files under `policies/` are part of the program; a test holds the list against the folder.

use std::path::{Path, PathBuf};

use crate::cli::error::Result;
use crate::host::files;
use crate::schema;

macro_rules! pack {
    ($($file:literal),+ $(,)?) => {
        /// The starter pack: path below `policies/`, and text.
        pub const PACK: &[(&str, &str)] =
            &[$(($file, include_str!(concat!("../../policies/", $file)))),+];
    };
}

pack!(
    "README.md",
    "alerts/known-admin-tool.yaml",
    "alerts/ransomware-triage.yaml",
    "alerts/red-team-exercise.yaml",
    "containment/ir-tagged-devices.yaml",
    "containment/ransomware-first-response.yaml",
    "exemptions/domain-controllers.yaml",
    "exemptions/vip-laptops.yaml",
    "restriction/kiosks.yaml",
    "scans/risky-daily-quick.yaml",
    "scans/servers-weekly-full.yaml",
);

/// The first policy of a workspace that does not start with the whole pack.
pub const FIRST: &str = "containment/ir-tagged-devices.yaml";

/// What a new workspace is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New<'a> {
    /// `id` of the workspace.
    pub id: &'a str,
    /// Name of its tenant.
    pub tenant: &'a str,
    /// Entra tenant id.
    pub tenant_id: &'a str,
    /// Authority, Defender and Graph, when they are not the cloud's.
    pub endpoints: Option<[&'a str; 3]>,
    /// Whether the whole pack is written.
    pub pack: bool,
}

/// The text of `palisade.yaml`.
#[must_use]
pub fn workspace_text(new: &New<'_>) -> String {
    let New { id, tenant, tenant_id, endpoints, pack: _ } = new;
    let place = match endpoints {
        Some([authority, defender, graph]) => format!(
            "    endpoints:\n      authority: {}\n      defender: {}\n      graph: {}\n",
            quoted(authority),
            quoted(defender),
            quoted(graph)
        ),
        None => "    cloud: commercial          # us, eu, uk, au, gcc, gccHigh, dod\n".to_owned(),
    };
    let (id, tenant, tenant_id) = (quoted(id), quoted(tenant), quoted(tenant_id));
    format!(
        "# yaml-language-server: $schema=schemas/workspace.schema.json
#
# A Palisade workspace: which tenants, within which limits. Policies stand below `policies/`.
# Secrets never stand here: `credential` names a source, the environment holds the secret.
apiVersion: palisade/v1
kind: Workspace

# Marks everything this workspace does in a tenant. Never change it while devices are held.
id: {id}
policies: [policies]

tenants:
  - name: {tenant}
    tenantId: {tenant_id}
{place}    credential: clientSecret     # AZURE_CLIENT_ID and AZURE_CLIENT_SECRET

guardrails:
  # Nothing may isolate or restrict these, whatever a policy says.
  protected:
    any:
      - tag: [domain-controller, hypervisor]
      - value: high
  # More than this in one run, one device group or one day is held back and says so.
  caps:
    isolate:
      run: 50
      group: 25%
      rolling: {{count: 100, window: 24h}}
    restrict:
      run: 200
      group: 50%
"
    )
}

/// A YAML scalar in double quotes; JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Plans and journals stay out of version control: both name devices.
const IGNORE: &str = "# Journals of runs and plan files name devices: keep them out of the repository.\n/.palisade/\n*.plan.json\n/plan.json\n";

/// Schemas of files that people write.
const EDITED: [&str; 2] = ["policy.schema.json", "workspace.schema.json"];

/// Writes the files of a new workspace; what is there already stays as it is.
///
/// # Errors
/// When a file cannot be written.
pub fn write(root: &Path, new: &New<'_>) -> Result<Vec<PathBuf>> {
    let mut files = vec![
        ("palisade.yaml".to_owned(), workspace_text(new)),
        (".gitignore".to_owned(), IGNORE.to_owned()),
    ];
    let wanted = |file: &str| new.pack || file == FIRST;
    let policies = PACK.iter().filter(|(file, _)| wanted(file));
    files.extend(policies.map(|(file, text)| (format!("policies/{file}"), (*text).to_owned())));
    // What the first line of each file points editors at.
    let schemas = schema::all().into_iter().filter(|(name, _)| EDITED.contains(&name.as_str()));
    files.extend(schemas.map(|(name, value)| (format!("schemas/{name}"), schema::text(&value))));
    let mut written = Vec::new();
    for (file, text) in files {
        let path = root.join(&file);
        if path.exists() {
            continue;
        }
        if let Some(folder) = path.parent() {
            files::create_folder(folder)?;
        }
        files::write_atomic(&path, text.as_bytes())?;
        written.push(PathBuf::from(file));
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(endpoints: Option<[&'static str; 3]>) -> New<'static> {
        let tenant_id = "11111111-2222-3333-4444-555555555555";
        New { id: "my-soc", tenant: "my-tenant", tenant_id, endpoints, pack: true }
    }

    #[test]
    fn a_new_workspace_has_no_problem() {
        for endpoints in [None, Some(["http://127.0.0.1:8400"; 3])] {
            let text = workspace_text(&new(endpoints));
            let source =
                crate::policy::SourceText { file: "palisade.yaml".into(), text: text.into() };
            let (workspace, findings) = crate::policy::load_workspace(&source, Path::new("."));
            assert!(findings.is_empty(), "{findings:?}");
            assert_eq!(workspace.unwrap().tenants.len(), 1);
        }
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        files::create_folder(&folder.path().join("policies")).unwrap();
        files::write_atomic(&folder.path().join(".gitignore"), b"mine\n").unwrap();
        let written = write(folder.path(), &new(None)).unwrap();
        assert!(!written.contains(&PathBuf::from(".gitignore")));
        assert!(written.contains(&PathBuf::from("schemas/policy.schema.json")));
        assert_eq!(files::read_text(&folder.path().join(".gitignore"), 100).unwrap(), "mine\n");
        assert!(write(folder.path(), &new(None)).unwrap().is_empty());
    }

    #[test]
    fn the_pack_is_the_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let found = files::find(&root, &["yaml", "md"]).unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|path| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"))
            .filter(|file| !file.ends_with(".test.yaml"))
            .collect();
        let listed: Vec<&str> = PACK.iter().map(|(file, _)| *file).collect();
        assert_eq!(listed, found);
        assert!(listed.contains(&FIRST));
    }
}
