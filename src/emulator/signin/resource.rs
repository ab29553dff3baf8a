//! The resources that tokens are issued for, under all their names.
//!
//! A token for a resource that is none of ours is issued too, without roles: that is how the real
//! service leads a client with a wrong scope to a 403 instead of a sign-in error.

use crate::emulator::signin::Audience;

/// Names of the Defender API's resource: the current identifier, the older ones and the application
/// id of `WindowsDefenderATP`.
const DEFENDER: &[&str] = &[
    "https://api.securitycenter.microsoft.com",
    "https://api.securitycenter.windows.com",
    "https://securitycenter.onmicrosoft.com/windowsatpservice",
    "fc780465-2017-40d4-a0c5-307022471b92",
];

/// Names of Microsoft Graph.
const GRAPH: &[&str] = &["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"];

/// Resources that every tenant knows and that neither API accepts.
const OTHERS: &[&str] = &[
    "https://api.security.microsoft.com",
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://vault.azure.net",
    "https://userrequestsgraphapi-prd.trafficmanager.net",
];

/// Prefixes of the roles that belong to Graph; all other roles are the Defender API's.
const GRAPH_ROLES: &[&str] = &["Security", "ThreatHunting.", "CustomDetection."];

/// A resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// One of the two emulated APIs.
    Ours(Audience),
    /// Another one.
    Other(&'static str),
}

impl Resource {
    /// The resource of a name, with or without a slash at its end; `None` when the tenant knows none.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.strip_suffix('/').unwrap_or(name);
        let among = |names: &[&'static str]| {
            names.iter().copied().find(|known| known.eq_ignore_ascii_case(name))
        };
        if among(DEFENDER).is_some() {
            Some(Self::Ours(Audience::Defender))
        } else if among(GRAPH).is_some() {
            Some(Self::Ours(Audience::Graph))
        } else {
            among(OTHERS).map(Self::Other)
        }
    }

    /// The `aud` of its tokens.
    pub(super) const fn identifier(self) -> &'static str {
        match self {
            Self::Ours(Audience::Defender) => "https://api.securitycenter.microsoft.com",
            Self::Ours(Audience::Graph) => "https://graph.microsoft.com",
            Self::Other(name) => name,
        }
    }

    /// The roles of an application that a token for this resource carries.
    pub(super) fn roles(self, held: &[String]) -> Vec<String> {
        let of_graph = |role: &str| {
            // `SecurityRecommendation` and `SecurityConfiguration` are the Defender API's.
            let ours = ["SecurityRecommendation.", "SecurityConfiguration."];
            GRAPH_ROLES.iter().any(|prefix| role.starts_with(prefix))
                && !ours.iter().any(|prefix| role.starts_with(prefix))
        };
        let carried = |role: &&String| match self {
            Self::Ours(Audience::Defender) => !of_graph(role),
            Self::Ours(Audience::Graph) => of_graph(role),
            Self::Other(_) => false,
        };
        held.iter().filter(carried).cloned().collect()
    }
}

/// What is wrong with a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeFault {
    /// It does not end with `/.default`, or is no URI.
    Invalid,
    /// It names more than one resource.
    Several,
    /// It names no resource.
    NoResource,
}

/// The resource name in the scope of a client-credentials request. OpenID scopes that some
/// libraries add are passed over.
pub(super) fn of_scope(scope: &str) -> Result<String, ScopeFault> {
    const OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];
    let mut resource: Option<&str> = None;
    for part in scope.split_whitespace().filter(|part| !OPENID.contains(part)) {
        // The double slash is what a resource name that ends with a slash leads to.
        let name = part.strip_suffix("/.default").ok_or(match part {
            ".default" => ScopeFault::NoResource,
            _ => ScopeFault::Invalid,
        })?;
        match resource {
            Some(first) if !first.eq_ignore_ascii_case(name) => return Err(ScopeFault::Several),
            _ => resource = Some(name),
        }
    }
    match resource {
        None | Some("") => Err(ScopeFault::NoResource),
        Some(name) => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_names_exactly_one_resource() {
        let graph = "https://graph.microsoft.com";
        for (scope, expected) in [
            ("https://graph.microsoft.com/.default", Ok(graph.to_owned())),
            ("https://graph.microsoft.com//.default", Ok(format!("{graph}/"))),
            ("https://graph.microsoft.com/.default openid profile", Ok(graph.to_owned())),
            ("https://graph.microsoft.com/User.Read", Err(ScopeFault::Invalid)),
            ("SecurityAlert.Read.All", Err(ScopeFault::Invalid)),
            (".default", Err(ScopeFault::NoResource)),
            ("/.default", Err(ScopeFault::NoResource)),
            ("openid", Err(ScopeFault::NoResource)),
            (
                "https://graph.microsoft.com/.default https://vault.azure.net/.default",
                Err(ScopeFault::Several),
            ),
        ] {
            assert_eq!(of_scope(scope), expected, "{scope}");
        }
    }

    #[test]
    fn each_resource_has_its_own_roles() {
        let held: Vec<String> =
            ["Machine.Isolate", "SecurityAlert.Read.All", "SecurityRecommendation.Read.All"]
                .map(str::to_owned)
                .to_vec();
        let of = |name| Resource::named(name).unwrap().roles(&held);
        assert_eq!(
            of("https://api.securitycenter.microsoft.com/"),
            ["Machine.Isolate", "SecurityRecommendation.Read.All"]
        );
        assert_eq!(of("https://graph.microsoft.com"), ["SecurityAlert.Read.All"]);
        assert!(of("https://api.security.microsoft.com").is_empty());
        assert_eq!(Resource::named("https://example.org"), None);
    }
}
