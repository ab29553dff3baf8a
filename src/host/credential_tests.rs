//! Which variables are read, which one is named when it is missing, and that nothing shows.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;
use crate::policy::workspace::Endpoints;

const ID: &str = "11111111-2222-3333-4444-555555555555";

fn tenant(source: CredentialSource, authority: &str) -> Tenant {
    let url = |text: &str| Url::parse(text).unwrap();
    Tenant {
        name: "contoso-eu".into(),
        tenant_id: ID.into(),
        endpoints: Endpoints {
            authority: url(authority),
            defender: url("https://api.security.microsoft.com"),
            graph: url("https://graph.microsoft.com"),
            defender_scope: "d/.default".into(),
            graph_scope: "g/.default".into(),
        },
        credential: source,
        site: None,
    }
}

fn read(source: CredentialSource, vars: &[(&str, &str)]) -> Result<Credential, CredentialError> {
    let vars: BTreeMap<&str, &str> = vars.iter().copied().collect();
    let env = |name: &str| vars.get(name).map(|value| (*value).to_owned());
    Credential::from_env(&tenant(source, "https://login.microsoftonline.com"), &env)
}

fn secret(credential: &Credential) -> String {
    match credential.proof().unwrap() {
        Proof::Secret(secret) | Proof::Assertion(secret) => secret.expose().to_owned(),
    }
}

#[test]
fn the_usual_variables_are_read_and_trimmed() {
    let vars = [("AZURE_CLIENT_ID", "app"), ("AZURE_CLIENT_SECRET", " s3cret\n")];
    let credential = read(CredentialSource::ClientSecret, &vars).unwrap();
    assert_eq!((credential.client_id(), secret(&credential).as_str()), ("app", "s3cret"));
    assert_eq!(credential.method(), "client secret");
}

#[test]
fn a_tenants_own_variables_win() {
    let vars = [
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_CLIENT_SECRET", "usual"),
        ("AZURE_TENANT_ID", "99999999-2222-3333-4444-555555555555"),
        ("PALISADE_CONTOSO_EU_CLIENT_ID", "own"),
        ("PALISADE_CONTOSO_EU_CLIENT_SECRET", "own secret"),
    ];
    let credential = read(CredentialSource::ClientSecret, &vars).unwrap();
    assert_eq!((credential.client_id(), secret(&credential).as_str()), ("own", "own secret"));
}

#[test]
fn a_missing_or_empty_variable_is_named() {
    for (vars, missing) in [
        (vec![], "AZURE_CLIENT_ID"),
        (vec![("AZURE_CLIENT_ID", "")], "AZURE_CLIENT_ID"),
        (vec![("AZURE_CLIENT_ID", "app")], "AZURE_CLIENT_SECRET"),
        (vec![("AZURE_CLIENT_ID", "app"), ("AZURE_CLIENT_SECRET", " \n")], "AZURE_CLIENT_SECRET"),
    ] {
        let error = read(CredentialSource::ClientSecret, &vars).unwrap_err();
        let text = format!("{error}; {}", error.help());
        assert!(text.contains(&format!("`{missing}`")), "{text}");
        assert!(text.contains("`PALISADE_CONTOSO_EU_CLIENT_"), "{text}");
    }
    let app = [("AZURE_CLIENT_ID", "app")];
    let error = read(CredentialSource::FederatedToken, &app).unwrap_err();
    assert!(error.to_string().contains("`AZURE_FEDERATED_TOKEN_FILE`"), "{error}");
}

#[test]
fn another_tenant_in_the_environment_is_refused() {
    let with = |id: &'static str| {
        let vars =
            [("AZURE_CLIENT_ID", "app"), ("AZURE_CLIENT_SECRET", "s"), ("AZURE_TENANT_ID", id)];
        read(CredentialSource::ClientSecret, &vars)
    };
    let other = with("99999999-2222-3333-4444-555555555555").unwrap_err();
    assert!(matches!(other, CredentialError::OtherTenant { .. }), "{other}");
    assert!(with(ID).is_ok());
    assert!(with("contoso.onmicrosoft.com").is_ok());
}

#[test]
fn a_token_file_is_read_anew_at_each_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let credential = Credential::with_token_file("app", path.clone());
    let error = credential.proof().unwrap_err();
    assert!(error.to_string().contains("token"), "{error}");
    for token in ["one", "two"] {
        let mut file = std::fs::File::create(&path).unwrap();
        writeln!(file, "{token}").unwrap();
        assert_eq!(secret(&credential), token);
    }
    std::fs::write(&path, " \n").unwrap();
    assert!(credential.proof().unwrap_err().to_string().ends_with("it is empty"));
}

#[test]
fn the_environments_authority_replaces_the_default_one_only() {
    let authority = |configured: &str, host: &str| {
        let host = host.to_owned();
        let env = move |name: &str| match name {
            "AZURE_AUTHORITY_HOST" => Some(host.clone()),
            "AZURE_CLIENT_ID" | "AZURE_CLIENT_SECRET" => Some("x".to_owned()),
            _ => None,
        };
        let tenant = tenant(CredentialSource::ClientSecret, configured);
        Credential::from_env(&tenant, &env).map(|c| c.authority().map(Url::to_string))
    };
    let default = "https://login.microsoftonline.com/";
    let us = Ok(Some("https://login.microsoftonline.us/".to_owned()));
    assert_eq!(authority(default, "https://login.microsoftonline.us/"), us);
    assert_eq!(authority(default, "login.microsoftonline.us"), us);
    assert_eq!(authority("http://127.0.0.1:8400", "https://login.microsoftonline.us/"), Ok(None));
    let bad = Err(CredentialError::Authority("http://evil.example".to_owned()));
    assert_eq!(authority(default, "http://evil.example"), bad);
}

#[test]
fn secrets_show_as_stars() {
    let credential = Credential::with_secret("app", Secret::new("hunter2"));
    let shown = format!("{credential:?} {:?} {}", credential.proof(), Secret::new("hunter2"));
    assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
}
