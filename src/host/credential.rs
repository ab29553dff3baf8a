//! Credentials: where the application's secret or federated token comes from.
//!
//! Made by `cli` from a tenant's `credential` source and the environment, used by `drive::client`
//! at each exchange. A tenant named `contoso-eu` may have variables of its own,
//! `PALISADE_CONTOSO_EU_CLIENT_ID`, `…_CLIENT_SECRET` and `…_FEDERATED_TOKEN_FILE`, which win over
//! `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` and `AZURE_FEDERATED_TOKEN_FILE`. Nothing here prints a
//! secret, and no secret outlives its use: secrets are wiped when dropped.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use crate::host::files;
use crate::policy::workspace::{CredentialSource, Tenant};

/// Federated tokens are a few kilobytes.
const TOKEN_FILE_MAX: u64 = 64 * 1024;
/// The authority that `AZURE_AUTHORITY_HOST` may replace: a workspace that names another means it.
const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";

/// A secret: shows as stars, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Looks up an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An application and its proof.
#[derive(Clone, Debug)]
pub struct Credential {
    client_id: Arc<str>,
    authority: Option<Url>,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Secret(Secret),
    File(PathBuf),
}

/// What proves the application at one exchange.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Its secret.
    Secret(Secret),
    /// The federated token as it stands in its file now.
    Assertion(Secret),
}

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// A variable is not set or empty.
    #[error("tenant `{tenant}` needs the environment variable `{variable}`, which is not set")]
    Missing {
        /// Tenant's name in the workspace.
        tenant: String,
        /// The variable.
        variable: String,
        /// The tenant's own variable that would do too.
        instead: String,
    },
    /// The environment names another tenant than the workspace.
    #[error("`AZURE_TENANT_ID` is `{environment}`, but tenant `{tenant}` has the id `{workspace}`")]
    OtherTenant {
        /// Tenant's name in the workspace.
        tenant: String,
        /// Its id there.
        workspace: String,
        /// The environment's.
        environment: String,
    },
    /// `AZURE_AUTHORITY_HOST` is no address a secret may be sent to.
    #[error("`AZURE_AUTHORITY_HOST` is `{0}`, which is not an https address")]
    Authority(String),
    /// The federated token's file.
    #[error("cannot use the federated token in `{}`: {why}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl CredentialError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Missing { variable, instead, .. } => {
                format!("set `{variable}`, or `{instead}` for this tenant alone")
            }
            Self::OtherTenant { .. } => {
                "unset `AZURE_TENANT_ID`, or give the tenant variables of its own".to_owned()
            }
            Self::Authority(_) => {
                "set it to an address such as `https://login.microsoftonline.us`".to_owned()
            }
            Self::TokenFile { .. } => {
                "the file named by `AZURE_FEDERATED_TOKEN_FILE` must hold a token and be readable"
                    .to_owned()
            }
        }
    }
}

impl Credential {
    /// A client id with its secret.
    #[must_use]
    pub fn with_secret(client_id: &str, secret: Secret) -> Self {
        Self { client_id: client_id.into(), authority: None, source: Source::Secret(secret) }
    }

    /// A client id with the file of a federated token, read anew at each exchange.
    #[must_use]
    pub fn with_token_file(client_id: &str, file: PathBuf) -> Self {
        Self { client_id: client_id.into(), authority: None, source: Source::File(file) }
    }

    /// The credential of a tenant, from its source and the environment.
    ///
    /// # Errors
    /// The variable that is missing or contradicts the workspace.
    pub fn from_env(tenant: &Tenant, env: Lookup<'_>) -> Result<Self, CredentialError> {
        let reader = Reader { tenant, prefix: prefix(&tenant.name), env };
        let (client_id, own) = reader.need("CLIENT_ID")?;
        if !own {
            reader.check_tenant()?;
        }
        let source = match tenant.credential {
            CredentialSource::ClientSecret => {
                Source::Secret(Secret::new(reader.need("CLIENT_SECRET")?.0))
            }
            CredentialSource::FederatedToken => {
                Source::File(PathBuf::from(reader.need("FEDERATED_TOKEN_FILE")?.0))
            }
        };
        let authority = reader.authority()?;
        Ok(Self { client_id: client_id.into(), authority, source })
    }

    /// The application's id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The authority the environment asks for instead of the default one.
    #[must_use]
    pub const fn authority(&self) -> Option<&Url> {
        self.authority.as_ref()
    }

    /// How the application proves itself, for plans and `doctor`; never the proof.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self.source {
            Source::Secret(_) => "client secret",
            Source::File(_) => "federated token file",
        }
    }

    /// The proof for one exchange; a token file is read now, because its owner rotates it.
    ///
    /// # Errors
    /// When the token file cannot be read or is empty.
    pub fn proof(&self) -> Result<Proof, CredentialError> {
        let path = match &self.source {
            Source::Secret(secret) => return Ok(Proof::Secret(secret.clone())),
            Source::File(path) => path,
        };
        let bad = |why: String| CredentialError::TokenFile { path: path.clone(), why };
        let text = files::read_text(path, TOKEN_FILE_MAX).map_err(|error| bad(chain(&error)))?;
        let text = Zeroizing::new(text);
        let token = text.trim();
        if token.is_empty() {
            return Err(bad("it is empty".to_owned()));
        }
        Ok(Proof::Assertion(Secret::new(token)))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// `PALISADE_CONTOSO_EU_` for a tenant named `contoso-eu`.
#[must_use]
pub fn prefix(tenant: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("PALISADE_{}_", tenant.chars().map(upper).collect::<String>())
}

struct Reader<'a> {
    tenant: &'a Tenant,
    prefix: String,
    env: Lookup<'a>,
}

impl Reader<'_> {
    /// A variable without the white space and line ends that come with pasting; empty is missing.
    fn get(&self, name: &str) -> Option<String> {
        let value = Zeroizing::new((self.env)(name)?);
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The tenant's own variable, or the usual one; and whether it was the tenant's own.
    fn need(&self, name: &str) -> Result<(String, bool), CredentialError> {
        let own = format!("{}{name}", self.prefix);
        let usual = format!("AZURE_{name}");
        if let Some(value) = self.get(&own) {
            return Ok((value, true));
        }
        let missing = || CredentialError::Missing {
            tenant: self.tenant.name.to_string(),
            variable: usual.clone(),
            instead: own,
        };
        self.get(&usual).map(|value| (value, false)).ok_or_else(missing)
    }

    /// A tenant id in the environment must be this tenant's. Names of domains are not compared.
    fn check_tenant(&self) -> Result<(), CredentialError> {
        let is_id = |text: &str| {
            text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        };
        let workspace: &str = &self.tenant.tenant_id;
        match self.get("AZURE_TENANT_ID") {
            Some(other)
                if is_id(&other) && is_id(workspace) && !other.eq_ignore_ascii_case(workspace) =>
            {
                Err(CredentialError::OtherTenant {
                    tenant: self.tenant.name.to_string(),
                    workspace: workspace.to_owned(),
                    environment: other,
                })
            }
            _ => Ok(()),
        }
    }

    fn authority(&self) -> Result<Option<Url>, CredentialError> {
        let given = self.tenant.endpoints.authority.as_str().trim_end_matches('/');
        let Some(text) = self.get("AZURE_AUTHORITY_HOST").filter(|_| given == DEFAULT_AUTHORITY)
        else {
            return Ok(None);
        };
        let whole = if text.contains("://") { text.clone() } else { format!("https://{text}") };
        match Url::parse(&whole) {
            Ok(url) if url.scheme() == "https" && url.has_host() => Ok(Some(url)),
            _ => Err(CredentialError::Authority(text)),
        }
    }
}

#[cfg(test)]
#[path = "credential_tests.rs"]
mod tests;
